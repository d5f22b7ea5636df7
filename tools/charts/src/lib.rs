//! Tables and line charts, in one style for the terminal and all documents.
//!
//! | module | holds |
//! |---|---|
//! | `table` | tables |
//! | `chart` | a line chart, and where its parts lie |
//! | `axis` | what an axis shows, and its ticks |
//! | `style` | colours, dashes and marks of the lines |
//! | `picture` | SVG: lines, marks, texts and the room that a text takes |

mod axis;
mod chart;
mod picture;
mod style;
mod table;

pub use axis::Axis;
pub use chart::{Chart, Series};
pub use table::Table;
