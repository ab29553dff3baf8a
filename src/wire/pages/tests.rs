//! Bodies of the service and the rows they lead to.
