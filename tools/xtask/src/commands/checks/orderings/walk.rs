//! Whether the barrier of an access stands between it and all others, on each way through a
//! function.

use super::isa::{Effect, Flow, Isa, Orders};
use crate::commands::checks::device::image::{Function, Instruction};
use std::collections::{HashMap, VecDeque};
use std::{iter, mem};

/// One instruction.
pub struct Step<'i> {
    pub code: &'i Instruction,
    /// Its mnemonic, without encoding and condition.
    pub name: &'i str,
    pub effect: Effect,
    flow: Flow,
    /// On Arm: the block of conditional instructions that it is part of, and which of the two
    /// conditions it has.
    condition: Option<(usize, char)>,
}

impl Step<'_> {
    pub fn is_atomic(&self) -> bool {
        matches!(self.effect, Effect::Access { atomic: true, .. })
    }
}

/// A function as a graph.
pub struct Graph<'i> {
    pub steps: Vec<Step<'i>>,
    at: HashMap<u32, usize>,
    before: Vec<Vec<usize>>,
    /// It jumps to addresses in registers, so that a place may be reached in more ways than are
    /// known.
    tables: bool,
}

impl<'i> Graph<'i> {
    pub fn new(isa: Isa, function: &'i Function) -> Graph<'i> {
        let mut steps: Vec<Step> = Vec::new();
        let mut conditions = VecDeque::new();
        let frame_pointer = function.code.iter().any(|code| isa.makes_frame_pointer(code));
        for (index, code) in function.code.iter().enumerate() {
            let condition = conditions.pop_front();
            if let Some(others) = isa.conditional_block(&code.mnemonic) {
                conditions
                    .extend(iter::once('t').chain(others.chars()).map(|which| (index, which)));
            }
            let name = isa.name(code, condition.is_some());
            let flow = match (isa.flow(name, &code.operands), condition) {
                (Flow::Jump(to), Some(_)) => Flow::Branch(to),
                (Flow::Leave, Some(_)) => Flow::MayLeave,
                (flow, _) => flow,
            };
            let effect = match isa.effect(name, &code.operands) {
                Effect::Access { .. } if isa.is_stack(&code.operands, frame_pointer) => {
                    Effect::None
                }
                effect => effect,
            };
            steps.push(Step { code, name, effect, flow, condition });
        }
        let at = steps.iter().enumerate().map(|(index, step)| (step.code.address, index)).collect();
        let tables = steps.iter().any(|step| isa.is_table(step.name, &step.code.operands));
        let mut graph = Graph { before: vec![Vec::new(); steps.len()], steps, at, tables };
        for index in 0..graph.steps.len() {
            for next in graph.after(index).0 {
                graph.before[next].push(index);
            }
        }
        graph
    }

    /// An instruction as people read it.
    pub fn show(&self, index: usize) -> String {
        let Instruction { address, mnemonic, operands } = self.steps[index].code;
        format!("`{mnemonic} {operands}` at {address:#x}")
    }

    /// A barrier: its mnemonic and what it orders.
    pub fn barrier(&self, index: usize) -> String {
        let step = &self.steps[index];
        format!("{} {}", step.name, step.code.operands).trim_end().to_owned()
    }

    /// Where control goes from an instruction, and whether it may leave the function.
    fn after(&self, index: usize) -> (Vec<usize>, bool) {
        let next = (index + 1 < self.steps.len()).then_some(index + 1);
        let (places, away) = match self.steps[index].flow {
            Flow::Next => (vec![next], false),
            Flow::Jump(to) => (vec![self.at.get(&to).copied()], false),
            Flow::Branch(to) => (vec![next, self.at.get(&to).copied()], false),
            Flow::Leave => (vec![], true),
            Flow::MayLeave => (vec![next], true),
        };
        let away = away || places.contains(&None);
        (places.into_iter().flatten().collect(), away)
    }

    /// The own barriers that are met first after an access; an error where another access is met
    /// without one.
    pub fn barriers_after(&self, start: usize, own: &[usize]) -> Result<Vec<usize>, String> {
        let enough = |orders: Orders| orders.acquire;
        self.walk(start, own, enough, |at| match self.after(at) {
            (_, true) => Err("the function is left".into()),
            (places, false) => Ok(places),
        })
    }

    /// The own barriers that are met first on the way back from an access.
    pub fn barriers_before(&self, start: usize, own: &[usize]) -> Result<Vec<usize>, String> {
        let enough = |orders: Orders| orders.release;
        self.walk(start, own, enough, |at| match &self.before[at][..] {
            [] => Err("the function begins".into()),
            _ if at == 0 => Err("the function begins".into()),
            places if self.tables && *places != [at - 1] => Err("a table may lead there".into()),
            places => Ok(places.to_vec()),
        })
    }

    fn walk(
        &self,
        start: usize,
        own: &[usize],
        enough: impl Fn(Orders) -> bool,
        go: impl Fn(usize) -> Result<Vec<usize>, String>,
    ) -> Result<Vec<usize>, String> {
        let mut seen = vec![false; self.steps.len()];
        let mut found = Vec::new();
        let mut open = go(start)?;
        while let Some(at) = open.pop() {
            if mem::replace(&mut seen[at], true) {
                continue;
            }
            let step = &self.steps[at];
            // Done whenever the access is done.
            let always = step.condition.is_none() || step.condition == self.steps[start].condition;
            match step.effect {
                Effect::Barrier(orders) if own.contains(&at) && enough(orders) && always => {
                    found.push(at)
                }
                Effect::Access { .. } if !own.contains(&at) => {
                    return Err(format!("{} is met", self.show(at)));
                }
                _ => open.extend(go(at)?),
            }
        }
        if found.is_empty() { Err("none on any way".into()) } else { Ok(found) }
    }
}
