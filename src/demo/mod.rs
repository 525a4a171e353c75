//! A whole system on one machine: a private PostgreSQL cluster and demo data.

pub mod cluster;
pub mod people;
