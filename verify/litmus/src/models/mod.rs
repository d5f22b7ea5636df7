//! The memory models, each as in the paper that it cites.

mod arm;
mod rc11;
mod rvwmo;

use crate::execution::{self, Execution, Kind};
use crate::program::Litmus;
use crate::relation::Relation;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// The language: C11 as repaired by Lahav and others, with the release sequences of C++20.
    Rc11,
    /// RISC-V, with the fences and annotations that LLVM emits.
    Rvwmo,
    /// AArch64 with `ldapr` and `stlr`, the weakest mapping that there is.
    ArmV8,
    /// 32-bit Arm, where an ordering is a `dmb` before or behind.
    ArmDmb,
}

impl Model {
    pub const ALL: [Model; 4] = [Model::Rc11, Model::Rvwmo, Model::ArmV8, Model::ArmDmb];

    pub fn name(self) -> &'static str {
        match self {
            Model::Rc11 => "RC11",
            Model::Rvwmo => "RVWMO",
            Model::ArmV8 => "Arm ldapr",
            Model::ArmDmb => "Arm dmb",
        }
    }

    pub fn allows(self, execution: &Execution) -> bool {
        coherent(execution)
            && match self {
                Model::Rc11 => rc11::consistent(execution),
                Model::Rvwmo => rvwmo::consistent(execution),
                Model::ArmV8 => arm::consistent(execution, arm::Mapping::Annotated),
                Model::ArmDmb => arm::consistent(execution, arm::Mapping::Barriers),
            }
    }

    /// Whether some execution that the model allows has the outcome.
    pub fn outcome_of(self, program: &Litmus) -> bool {
        execution::any(program, |execution, end| {
            let wanted = (program.holds)(end);
            let race = program.or_race && self == Model::Rc11;
            (wanted || race) && self.allows(execution) && (wanted || rc11::races(execution))
        })
    }
}

/// What all of them demand: one order of the accesses to each location, and nothing between the
/// halves of a read-modify-write.
fn coherent(execution: &Execution) -> bool {
    let Execution { po, rf, co, rmw, .. } = *execution;
    let fr = execution.fr();
    (fr.then(co) & rmw).is_empty() && ((po & execution.same_loc()) | rf | co | fr).is_acyclic()
}

/// Accesses, of either kind.
fn accesses(execution: &Execution) -> crate::relation::Set {
    execution.set(|event| event.kind != Kind::Fence)
}

/// From what comes before an event, itself included, to what comes behind it.
fn across(execution: &Execution, at: usize) -> impl Fn(usize, usize) -> bool {
    let po = execution.po;
    move |a, b| (a == at || po.has(a, at)) && po.has(at, b)
}

/// From what comes before an event to what comes behind it, itself included.
fn up_to(execution: &Execution, at: usize) -> impl Fn(usize, usize) -> bool {
    let po = execution.po;
    move |a, b| po.has(a, at) && (b == at || po.has(at, b))
}

fn union(relations: impl IntoIterator<Item = Relation>) -> Relation {
    relations.into_iter().fold(Relation::EMPTY, |all, relation| all | relation)
}
