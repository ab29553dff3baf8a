//! Table tests of the endpoints, on the bytes of the answers.
