//! The rules that a verification mail is held to.
