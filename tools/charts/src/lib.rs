//! Tables and line charts, in one style for the terminal and all documents.

mod chart;
mod table;

pub use chart::{Axis, Chart, Series};
pub use table::Table;
