//! What became of the accesses in an image.

use super::access::{Access, Accesses, Says};
use super::isa::{Effect, Isa};
use super::lines::{Frames, frames};
use super::walk::Graph;
use crate::commands::checks::device::image::Image;
use crate::shell::Shell;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// Where `core` has its atomic operations.
const ATOMICS: &str = "core/src/sync/atomic.rs";

/// What became of one access, in all images of an instruction set.
#[derive(Clone, Default)]
pub struct Became {
    /// The instructions, as `lw; fence r, rw`.
    pub forms: BTreeSet<String>,
    /// In how many places.
    pub places: usize,
    pub faults: Vec<String>,
}

impl Became {
    pub fn shown(&self) -> String {
        self.forms.iter().map(|form| format!("`{form}`")).collect::<Vec<_>>().join(" ")
    }
}

/// The image of sources that lie in `root`.
pub struct Subject<'a> {
    pub isa: Isa,
    pub image: &'a Path,
    pub disassembler: &'a [&'a str],
    pub root: &'a Path,
}

impl Subject<'_> {
    /// Adds what became of each access; returns the atomic instructions that come from the sources,
    /// but from no access.
    pub fn check(
        &self,
        shell: &Shell,
        accesses: &Accesses,
        became: &mut [Became],
    ) -> Result<Vec<String>> {
        let image = Image::read(shell, self.image, self.disassembler)?;
        let graphs: BTreeMap<&str, Graph> = image
            .functions
            .iter()
            .map(|(name, function)| (name.as_str(), Graph::new(self.isa, function)))
            .collect();
        let steps = graphs.values().flat_map(|graph| &graph.steps);
        let asked: Vec<u32> = steps
            .filter(|step| step.effect != Effect::None)
            .map(|step| step.code.address)
            .collect();
        let frames = frames(shell, self.image, &asked)?;
        let mut strays = Vec::new();
        for (name, graph) in &graphs {
            self.check_function(name, graph, &frames, accesses, became, &mut strays);
        }
        Ok(strays)
    }

    fn check_function(
        &self,
        function: &str,
        graph: &Graph,
        frames: &HashMap<u32, Frames>,
        accesses: &Accesses,
        became: &mut [Became],
        strays: &mut Vec<String>,
    ) {
        let asked = graph
            .steps
            .iter()
            .enumerate()
            .filter_map(|(index, step)| Some((index, step, frames.get(&step.code.address)?)));
        let has_lines = asked.clone().any(|(_, _, frames)| !frames.is_empty());
        // The instructions of an access, by the lines that they come from: each inlined copy has
        // its own.
        let mut copies: BTreeMap<(usize, &Frames), Vec<usize>> = BTreeMap::new();
        for (index, step, frames) in asked {
            match self.says(frames, accesses) {
                Says::Strong(access) => copies.entry((access, frames)).or_default().push(index),
                Says::Nothing
                    if step.is_atomic()
                        && (self.is_ours(frames) || has_lines && frames.is_empty()) =>
                {
                    strays.push(format!("{function}, {}", graph.show(index)));
                }
                _ => {}
            }
        }
        for ((access, _), own) in copies {
            let (forms, faults) = verdict(graph, &accesses.strong[access], &own);
            let became = &mut became[access];
            became.places += 1;
            became.forms.extend(forms);
            became.faults.extend(faults.into_iter().map(|fault| format!("{function}, {fault}")));
        }
    }

    /// What the innermost line of ours says, for an instruction of an atomic operation of `core`.
    fn says(&self, frames: &Frames, accesses: &Accesses) -> Says {
        if frames.first().is_none_or(|frame| !frame.file.ends_with(ATOMICS)) {
            return Says::Nothing;
        }
        let mut said = frames
            .iter()
            .filter_map(|frame| Some(accesses.says(self.ours(&frame.file)?, frame.line)));
        said.find(|says| *says != Says::AsTheCaller).unwrap_or(Says::Nothing)
    }

    fn is_ours(&self, frames: &Frames) -> bool {
        frames.iter().any(|frame| self.ours(&frame.file).is_some())
    }

    /// A file of the sources, from the root.
    fn ours<'f>(&self, file: &'f str) -> Option<&'f str> {
        Path::new(file)
            .strip_prefix(self.root)
            .ok()?
            .to_str()
            .filter(|file| file.starts_with("src/"))
    }
}

/// One copy of an access: what became of it, and what it lacks. `own`: the instructions that come
/// from it.
pub fn verdict(graph: &Graph, access: &Access, own: &[usize]) -> (Vec<String>, Vec<String>) {
    let (mut forms, mut faults) = (Vec::new(), Vec::new());
    let (mut read, mut written) = (false, false);
    for &index in own {
        let step = &graph.steps[index];
        let Effect::Access { reads, writes, short: true, atomic, orders } = step.effect else {
            continue;
        };
        // What else a read-modify-write loads does not matter: it is compared.
        if access.swaps() && !atomic {
            continue;
        }
        (read, written) = (read || reads, written || writes);
        let (acquires, releases) = (access.acquire && reads, access.release && writes);
        let mut barriers = |needed: bool, found: Result<Vec<usize>, String>, side: &str| match found
        {
            _ if !needed => BTreeSet::new(),
            Ok(found) => found.into_iter().map(|at| graph.barrier(at)).collect(),
            Err(why) => {
                faults.push(format!("{}: no barrier {side} it: {why}", graph.show(index)));
                BTreeSet::new()
            }
        };
        let before =
            barriers(releases && !orders.release, graph.barriers_before(index, own), "before");
        let after =
            barriers(acquires && !orders.acquire, graph.barriers_after(index, own), "behind");
        if acquires || releases {
            let all: Vec<_> =
                before.into_iter().chain([step.name.to_owned()]).chain(after).collect();
            forms.push(all.join("; "));
        }
    }
    if (access.reads() && !read) || (access.writes() && !written) {
        faults.push(format!("{}: all that is left of it", graph.show(own[0])));
    }
    (forms, faults)
}
