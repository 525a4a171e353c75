//! What the answers to a mail mean.
