//! Tables of histories and the readings they lead to.
