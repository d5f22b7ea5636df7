//! A timer that strikes one thread with a signal, at whatever instruction it is, and where it has
//! struck.
//!
//! ```text
//!   thread    begin ─► step step st┆ handler: action ┆ep step step step s┆ handler: action ┆tep …
//!                                                     └── as long as the action said ──┘
//! ```

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libc::{c_int, c_void, siginfo_t};
use nix::errno::Errno;
use nix::sys::signal::{
    SaFlags, SigAction, SigEvent, SigHandler, SigSet, SigevNotify, Signal, raise, sigaction,
};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;
use nix::unistd::gettid;

const SIGNAL: Signal = Signal::SIGUSR1;

type Action = Box<dyn Fn(usize) -> Option<Duration> + Send + Sync>;

static ACTION: OnceLock<Action> = OnceLock::new();

thread_local! {
    static TIMER: RefCell<Option<Timer>> = const { RefCell::new(None) };
}

/// Calls `action` in a thread that is struck, with the address of the instruction that it has
/// interrupted. The action tells how long the thread runs until the next strike; with `None` there
/// is no other. It may do nothing that locks or allocates. It is not interrupted itself.
pub fn on_strike(action: impl Fn(usize) -> Option<Duration> + Send + Sync + 'static) -> Result<()> {
    assert!(ACTION.set(Box::new(action)).is_ok(), "one action a process");
    let handler =
        SigAction::new(SigHandler::SigAction(handle), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler keeps to what is safe there, by the promise of whoever gives the action.
    unsafe { sigaction(SIGNAL, &handler) }.context("sigaction")?;
    Ok(())
}

/// Strikes the calling thread, now and as the action says.
pub fn begin() -> Result<()> {
    let notify =
        SigevNotify::SigevThreadId { signal: SIGNAL, thread_id: gettid().as_raw(), si_value: 0 };
    let timer =
        Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(notify)).context("timer_create")?;
    TIMER.set(Some(timer));
    // The handler winds up the timer, and from now on nobody else looks at it.
    raise(SIGNAL).context("raise")
}

extern "C" fn handle(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    let errno = Errno::last();
    // SAFETY: with SA_SIGINFO the kernel passes the context that was interrupted.
    let address = unsafe { interrupted_at(context.cast()) };
    if let Some(pause) = ACTION.get().and_then(|action| action(address)) {
        // It fails when the thread has come to its end; then there are no more strikes.
        let _ = TIMER.try_with(|timer| {
            let mut timer = timer.borrow_mut();
            let Some(timer) = timer.as_mut() else { return };
            timer
                .set(Expiration::OneShot(pause.into()), TimerSetTimeFlags::empty())
                .expect("timer_settime");
        });
    }
    errno.set();
}

/// # Safety
/// `context` is the third argument of a signal handler.
unsafe fn interrupted_at(context: *const libc::ucontext_t) -> usize {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    // SAFETY: the caller's promise.
    return unsafe { (*context).uc_mcontext.gregs[libc::REG_RIP as usize] as usize };
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    // SAFETY: the caller's promise.
    return unsafe { (*context).uc_mcontext.pc as usize };
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        let _ = context;
        1 // unknown
    }
}

/// Which instructions were interrupted, and whose they are.
pub struct Struck {
    strikes: u64,
    /// Different instructions.
    instructions: usize,
    /// Strikes on code of the library, by its innermost function.
    inside: BTreeMap<String, u64>,
    /// Different instructions of the library.
    instructions_inside: usize,
}

impl Struck {
    /// Looks up who is at these addresses, by the debugging information.
    pub fn at(addresses: impl IntoIterator<Item = usize>) -> Struck {
        let mut names: BTreeMap<usize, Option<String>> = BTreeMap::new();
        let (mut strikes, mut inside) = (0, BTreeMap::new());
        for address in addresses {
            strikes += 1;
            if let Some(name) =
                names.entry(address).or_insert_with(|| function_of_the_library(address))
            {
                *inside.entry(name.clone()).or_insert(0) += 1;
            }
        }
        let instructions_inside = names.values().flatten().count();
        Struck { strikes, instructions: names.len(), inside, instructions_inside }
    }

    /// An error unless pops and pushes were interrupted: then the test has shown nothing.
    pub fn hit_a_free_list(&self) -> Result<()> {
        for function in ["FreeList::pop", "FreeList::push"] {
            let hit = self.inside.keys().any(|name| name.ends_with(function));
            ensure!(
                hit,
                "no strike hit {function}: strike more often, in a build with debugging information"
            );
        }
        Ok(())
    }
}

/// The functions struck most often, and the sums.
impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 12;
        let mut rows: Vec<_> = self.inside.iter().collect();
        rows.sort_by_key(|&(name, count)| (Reverse(count), name));
        for (name, count) in rows.iter().take(SHOWN) {
            writeln!(f, "{count:>8}  {name}")?;
        }
        let others: u64 = rows.iter().skip(SHOWN).map(|(_, count)| *count).sum();
        writeln!(
            f,
            "{others:>8}  in {} more functions of the pool",
            rows.len().saturating_sub(SHOWN)
        )?;
        let inside: u64 = self.inside.values().sum();
        let Struck { strikes, instructions, instructions_inside, .. } = self;
        writeln!(
            f,
            "{strikes} strikes on {instructions} instructions; {inside} of them in the pool, on {instructions_inside} instructions"
        )
    }
}

/// The innermost function of `tierpool` at an address, inlined ones included.
fn function_of_the_library(address: usize) -> Option<String> {
    let mut found = None;
    backtrace::resolve(address as *mut c_void, |symbol| {
        let name = symbol.name().map(|name| format!("{name:#}")).unwrap_or_default();
        if found.is_none() && (name.starts_with("tierpool::") || name.starts_with("<tierpool::")) {
            found = Some(name);
        }
    });
    found
}
