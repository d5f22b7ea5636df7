//! Each ordering made one step weaker: some outcome that was impossible becomes possible in some
//! model, or the ordering is stronger than the protocol needs.

use crate::models::Model;
use crate::program::{Litmus, Order};

/// An ordering of the protocol, weakened.
pub struct Weakening {
    /// What the instruction is called.
    pub name: &'static str,
    pub from: Order,
    pub to: Order,
    /// The first program whose outcome becomes possible, and in which models.
    pub noticed: Option<(&'static str, Vec<Model>)>,
}

/// All of them, in the order in which the programs name their instructions.
pub fn all(programs: &[Litmus]) -> Vec<Weakening> {
    let mut names = Vec::new();
    for (name, order) in programs.iter().flat_map(orders) {
        match names.iter().find(|(other, _)| *other == name) {
            None => names.push((name, order)),
            Some((_, other)) => assert_eq!(*other, order, "`{name}` has two orderings"),
        }
    }
    let steps = names
        .into_iter()
        .flat_map(|(name, from)| from.weaker().iter().map(move |&to| (name, from, to)));
    steps
        .map(|(name, from, to)| Weakening { name, from, to, noticed: noticed(programs, name, to) })
        .collect()
}

fn noticed(programs: &[Litmus], name: &str, to: Order) -> Option<(&'static str, Vec<Model>)> {
    programs.iter().find_map(|program| {
        let weak = weakened(program, name, to)?;
        let models: Vec<_> =
            Model::ALL.into_iter().filter(|model| model.outcome_of(&weak)).collect();
        (!models.is_empty()).then_some((program.name, models))
    })
}

/// The names in a program, with their orderings.
pub fn orders(program: &Litmus) -> impl Iterator<Item = (&'static str, Order)> {
    let instructions =
        program.threads.iter().flat_map(|thread| thread.names.iter().zip(&thread.code));
    instructions
        .filter(|(name, _)| !name.is_empty())
        .filter_map(|(&name, code)| Some((name, code.order()?)))
}

/// The program with all instructions of that name weakened; none if it has no such instruction.
fn weakened(program: &Litmus, name: &str, to: Order) -> Option<Litmus> {
    let mut weak = program.clone();
    let mut found = false;
    for thread in &mut weak.threads {
        for (code, _) in
            thread.code.iter_mut().zip(&thread.names).filter(|(_, other)| **other == name)
        {
            *code = code.with_order(to);
            found = true;
        }
    }
    found.then_some(weak)
}
