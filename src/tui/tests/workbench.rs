//! The templates' workbench.
