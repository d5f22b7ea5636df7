//! What a trace holds, counted.

use crate::{Event, Trace};
use std::fmt;

/// Upper bounds of the classes that sizes are counted in, in bytes.
pub const CLASSES: [u32; 6] = [16, 32, 64, 256, 512, 1024];

/// The counts of one trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Allocations and frees.
    pub events: usize,
    /// Allocations in each of [`CLASSES`] (above the one before it), then those larger than all.
    pub allocations: [usize; CLASSES.len() + 1],
    /// The most bytes alive at once.
    pub peak_bytes: usize,
    /// Blocks alive when those bytes were first reached.
    pub blocks_at_peak: usize,
    /// The most blocks alive at once.
    pub peak_blocks: usize,
    /// Blocks still alive at the end.
    pub left: usize,
}

impl Summary {
    /// Counts a whole trace.
    pub fn of(trace: &Trace) -> Summary {
        let mut summary = Summary { events: trace.events().len(), ..Summary::default() };
        let mut sizes = vec![0; trace.peak_blocks()];
        let mut bytes = 0;
        for event in trace.events() {
            match event {
                Event::Alloc { id, size } => {
                    sizes[id as usize] = size as usize;
                    bytes += size as usize;
                    summary.left += 1;
                    summary.peak_blocks = summary.peak_blocks.max(summary.left);
                    summary.allocations[CLASSES.partition_point(|&bound| bound < size)] += 1;
                }
                Event::Free { id } => {
                    bytes -= sizes[id as usize];
                    summary.left -= 1;
                }
            }
            if bytes > summary.peak_bytes {
                (summary.peak_bytes, summary.blocks_at_peak) = (bytes, summary.left);
            }
        }
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.allocations.iter().sum();
        writeln!(f, "events       {:>9}", self.events)?;
        writeln!(f, "allocations  {total:>9}")?;
        for (index, &count) in self.allocations.iter().enumerate() {
            let class = match CLASSES.get(index) {
                Some(bound) => format!("up to {bound:>4}"),
                None => "larger".into(),
            };
            let percent = 100.0 * count as f64 / total.max(1) as f64;
            writeln!(f, "  {class:<10} {count:>9}  {percent:>4.1} %")?;
        }
        writeln!(f, "peak bytes   {:>9}  in {} blocks", self.peak_bytes, self.blocks_at_peak)?;
        writeln!(f, "peak blocks  {:>9}", self.peak_blocks)?;
        write!(f, "never freed  {:>9}", self.left)
    }
}
