//! OData `$filter`, paging options and their errors, shared by the Defender API and Graph.
