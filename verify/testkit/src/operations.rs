//! The table of all operations, and who leaves out which, and why. `tests/operations.rs` holds it
//! against the sources: of the library, so that none is missing, and of the executors, so that each
//! calls all but what is excused here.

/// A type, and its operations.
pub const OPERATIONS: &[(&str, &[&str])] = &[
    ("Pool", &["alloc", "alloc_pooled", "alloc_with_headroom", "zeroed", "alloc_chain"]),
    ("Pool", &["alloc_reserved"]),
    ("Pool", &["copy_from_slice", "copy_with_headroom", "copy_from_iter"]),
    ("Pool", &["allocate", "deallocate", "deallocate_sized", "from_raw", "owns"]),
    ("Pool", &["alloc_wait", "arm_free_notify", "reclaim", "stats", "is_idle"]),
    ("PoolCache", &["alloc", "alloc_pooled", "alloc_with_headroom", "zeroed", "copy_from_slice"]),
    ("PoolCache", &["recycle", "cached", "flush", "report"]),
    (
        "BytesMut",
        &[
            "extend_from_slice",
            "extend_from_within",
            "extend_from_iter",
            "extend_in_place",
            "push",
            "resize",
            "reserve",
            "reserve_in",
        ],
    ),
    (
        "BytesMut",
        &[
            "try_reclaim",
            "spare_capacity_mut",
            "set_len",
            "as_mut_ptr",
            "truncate",
            "clear",
            "reset",
            "advance",
        ],
    ),
    (
        "BytesMut",
        &[
            "headroom",
            "reserve_front",
            "reserve_front_in",
            "prepend",
            "capacity",
            "is_pooled",
            "footprint",
        ],
    ),
    ("BytesMut", &["freeze", "into_raw", "split_to", "split_off", "split", "unsplit"]),
    (
        "Bytes",
        &[
            "slice",
            "slice_clamped",
            "slice_ref",
            "split_to",
            "split_off",
            "truncate",
            "clear",
            "advance",
        ],
    ),
    ("Bytes", &["is_unique", "is_pooled", "footprint"]),
    (
        "Bytes",
        &[
            "make_mut",
            "make_mut_in",
            "try_into_mut",
            "into_mut",
            "into_mut_in",
            "move_to",
            "compact_in",
        ],
    ),
    ("Chain", &["push_back", "push_front", "pop_front", "advance", "truncate", "split_to"]),
    ("Chain", &["slice", "parts", "chunks", "copy_to_slice", "linearize"]),
    ("ChainMut", &["extend_from_slice", "parts", "parts_mut", "capacity", "freeze"]),
    ("ObjectPool", &["alloc", "alloc_with", "alloc_uninit", "alloc_wait"]),
    ("ObjectPool", &["from_raw", "stats", "is_idle"]),
    ("ObjectLanes", &["alloc", "alloc_uninit", "stats", "is_idle"]),
    ("Object", &["write", "assume_init", "into_inner", "into_raw", "share"]),
    ("SharedObject", &["get_mut", "try_unwrap"]),
    ("RecyclePool", &["request", "request_wait", "stats", "is_idle"]),
];

/// Names of methods, and a reason.
pub type Excuse = (&'static [&'static str], &'static str);

/// Public methods of these types that are no operations on a pool's memory.
pub const NO_OPERATIONS: &[Excuse] = &[
    (&["begin_before_flip", "served"], "for the models of loom alone"),
    (
        &["from_static_parts", "in_zeros", "in_zeros_at", "once", "leak", "new", "check"],
        "makes a pool, a cache or an empty handle: every executor has its own",
    ),
    (&["arm_free_notify_for"], "`arm_free_notify` calls it"),
    (&["alloc_wait_with_headroom", "alloc_timeout"], "`alloc_wait` under them"),
    (&["allocate_reserved"], "`alloc_reserved`, and then `into_raw`"),
    (&["reset_peak", "free_slots"], "for statistics; a model of loom has the reset"),
    (&["slot_bytes"], "`owns`, and a size"),
    (
        &["has_fallback", "memory_of_fallback", "back_to_fallback", "serves"],
        "for the C interface, whose tests call them",
    ),
    (&["mark", "held"], "writes and reads words that only reports show"),
    (&["assert_idle"], "`is_idle`, for tests"),
    (&["from_static"], "no memory of a pool is behind it"),
    (&["len", "is_empty"], "a field of the handle"),
    (&["histogram"], "reads counters of a feature of its own"),
    (&["copy_from_buf", "extend_from_buf"], "a loop over what is here, with the crate `bytes`"),
];

/// What only chains do.
const CHAINS: &[&str] = &[
    "alloc_chain",
    "push_back",
    "push_front",
    "pop_front",
    "parts",
    "parts_mut",
    "chunks",
    "copy_to_slice",
    "linearize",
];

/// Something that does operations, and checks what comes of them.
#[derive(Debug)]
pub struct Executor {
    /// What it is called.
    pub name: &'static str,
    /// Its sources: files, and folders with all below.
    pub sources: &'static [&'static str],
    /// What it leaves out.
    pub excused: &'static [Excuse],
}

const STEPS: &str = "verify/soak/src/steps";
const WORKER: &str = "verify/soak/src/worker.rs";
const HELD: &str = "verify/soak/src/held.rs";
const AUDIT: &str = "verify/soak/src/audit.rs";
const MODEL: &str = "verify/testkit/src/model";

/// All of them.
pub const EXECUTORS: &[Executor] = &[
    Executor {
        name: "soak",
        sources: &[STEPS, WORKER, HELD, AUDIT],
        excused: &[(&["as_mut_ptr"], "a buffer's own bytes are filled and checked as a slice")],
    },
    Executor {
        name: "faults",
        sources: &["verify/faults/src"],
        excused: &[(&["alloc_reserved"], "the list of a reserve is one like the others")],
    },
    Executor {
        name: "fuzz targets",
        // `handles` and `chains` drive the model, `threads` the soak's workers.
        sources: &["verify/fuzz/fuzz_targets", MODEL, STEPS, WORKER, HELD, AUDIT],
        excused: &[],
    },
    Executor {
        name: "model",
        sources: &[MODEL],
        excused: &[
            (
                &["alloc_wait", "request_wait", "arm_free_notify"],
                "one thread, which waits for nobody",
            ),
            (&["alloc_reserved"], "`tests/reserve.rs` has every way of a request"),
            (
                &["recycle", "cached", "flush", "report"],
                "the fuzz target `raw` has the model of a cache",
            ),
            (
                &[
                    "into_inner",
                    "alloc_with",
                    "alloc_uninit",
                    "assume_init",
                    "write",
                    "share",
                    "get_mut",
                    "try_unwrap",
                ],
                "typed objects have no bytes; `soak` checks them",
            ),
            (&["copy_from_iter", "extend_from_iter"], "`tests/iterate.rs` has every length"),
            (&["move_to"], "copies as `into_mut_in` does; `soak` does both"),
            (&["copy_with_headroom"], "`copy_from_slice` behind headroom; `soak` does it"),
            (
                &["extend_from_within", "try_reclaim", "spare_capacity_mut"],
                "`tests/growth.rs` has every length",
            ),
        ],
    },
    Executor {
        name: "shuttle",
        sources: &["loom-tests/src/schedules.rs"],
        excused: &[
            (
                &[
                    "advance",
                    "truncate",
                    "clear",
                    "reset",
                    "headroom",
                    "capacity",
                    "footprint",
                    "is_pooled",
                    "set_len",
                    "as_mut_ptr",
                ],
                "no atomic access, so no schedule matters",
            ),
            (
                &[
                    "prepend",
                    "extend_from_slice",
                    "extend_from_within",
                    "extend_from_iter",
                    "extend_in_place",
                    "spare_capacity_mut",
                    "try_reclaim",
                ],
                "no atomic access, or that of `alloc`",
            ),
            (
                &["slice_clamped", "slice_ref", "split_to", "split_off"],
                "the one atomic access of `slice`",
            ),
            (
                &[
                    "alloc_chain",
                    "push_front",
                    "parts",
                    "parts_mut",
                    "chunks",
                    "copy_to_slice",
                    "linearize",
                ],
                "an array of handles: the atomic accesses of `alloc`, `slice` and a drop",
            ),
            (
                &[
                    "alloc_pooled",
                    "alloc_with_headroom",
                    "zeroed",
                    "copy_from_slice",
                    "copy_with_headroom",
                    "copy_from_iter",
                ],
                "the atomic accesses of `alloc`",
            ),
            (
                &["reserve", "reserve_in", "reserve_front", "reserve_front_in"],
                "those of `alloc` and of a drop",
            ),
            (
                &[
                    "make_mut_in",
                    "try_into_mut",
                    "into_mut",
                    "into_mut_in",
                    "move_to",
                    "compact_in",
                    "is_unique",
                ],
                "those of `make_mut`",
            ),
            (
                &["into_raw", "from_raw", "allocate", "deallocate", "deallocate_sized", "owns"],
                "models of loom: `raw`",
            ),
            (&["split", "unsplit"], "models of loom: `halves`"),
            (&["recycle", "cached", "flush", "report"], "models of loom: `cache`"),
            (&["alloc_wait", "request_wait", "arm_free_notify"], "models of loom: `wait`, `wake`"),
            (&["alloc_reserved"], "models of loom: `reserve`"),
            (&["reclaim"], "models of loom: `fallback`"),
            (
                &[
                    "into_inner",
                    "alloc_with",
                    "alloc_uninit",
                    "assume_init",
                    "write",
                    "share",
                    "get_mut",
                    "try_unwrap",
                    "request",
                ],
                "models of loom: `object_pool`",
            ),
        ],
    },
    Executor {
        name: "emulated boards",
        // Not `operations.rs`, which is looked at, and not run.
        sources: &[
            "firmware/suite/src/buffers.rs",
            "firmware/suite/src/cached.rs",
            "firmware/suite/src/churn.rs",
            "firmware/suite/src/cow.rs",
            "firmware/suite/src/exhaust.rs",
            "firmware/suite/src/handover.rs",
            "firmware/suite/src/interrupt.rs",
            "firmware/suite/src/mixed.rs",
            "firmware/suite/src/pools.rs",
            "verify/testkit/src/audit.rs",
        ],
        excused: &[
            (&["alloc_reserved"], "takes from a list like the others"),
            (
                &[
                    "advance",
                    "truncate",
                    "clear",
                    "reset",
                    "headroom",
                    "footprint",
                    "is_pooled",
                    "set_len",
                    "as_mut_ptr",
                ],
                "no atomic access: what a host has shown holds",
            ),
            (
                &[
                    "push",
                    "prepend",
                    "extend_from_within",
                    "extend_from_iter",
                    "extend_in_place",
                    "spare_capacity_mut",
                    "try_reclaim",
                ],
                "the same",
            ),
            (&["extend_from_slice"], "`resize` grows in the same way"),
            (CHAINS, "an array of handles; `alloc` and `slice_clamped` have the atomic accesses"),
            (&["slice", "slice_ref"], "`slice_clamped` takes the same reference"),
            (
                &[
                    "alloc_with_headroom",
                    "zeroed",
                    "copy_from_slice",
                    "copy_with_headroom",
                    "copy_from_iter",
                ],
                "`alloc` takes the same slot",
            ),
            (
                &["reserve", "reserve_in", "reserve_front", "reserve_front_in"],
                "`alloc` and a drop do the same",
            ),
            (
                &["make_mut_in", "into_mut", "into_mut_in", "move_to", "compact_in"],
                "`make_mut` copies in the same way",
            ),
            (
                &["into_raw", "from_raw", "owns"],
                "a look at an address and a state word; `deallocate` has both",
            ),
            (&["split", "unsplit"], "`split_to` and a drop have the same atomic accesses"),
            (&["cached", "report"], "plain fields, and counts"),
            (
                &["alloc_wait", "request_wait", "arm_free_notify"],
                "no executor of tasks runs here; models of loom have the orderings",
            ),
            (
                &[
                    "into_inner",
                    "alloc_with",
                    "alloc_uninit",
                    "assume_init",
                    "write",
                    "share",
                    "get_mut",
                    "try_unwrap",
                    "request",
                ],
                "typed objects use the same free list",
            ),
        ],
    },
];

/// Whether a method is excused.
pub fn is_excused(excuses: &[Excuse], method: &str) -> bool {
    excuses.iter().any(|(methods, _)| methods.contains(&method))
}
