//! Laws that hold for every fleet and every set of policies.
