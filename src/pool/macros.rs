//! [`pool!`](crate::pool!): a static pool in one line.
//!
//! ```text
//!   static NAME: Pool        .rodata ─► TIERS  .rodata ─► WORDS    .bss
//!                                                    └──► PAYLOAD  .bss, or the section named
//! ```

/// Declares a static [`Pool`](crate::Pool) in one line: no init call, no start-up code, and no
/// `unsafe` except for a section.
///
/// ```
/// const MTU: usize = 500;
/// const DEPTH: usize = 8;
///
/// tierpool::pool! {
///     /// Receive buffers that both cores share.
///     pub static RX = [256 x 16, 512 x 16, {MTU * 2} x DEPTH], align = 64, spill = 1;
/// }
/// tierpool::pool! { static TX = default; } // 256, 512 and 1024 bytes, 16 slots each
///
/// assert_eq!(RX.alloc(MTU)?.capacity(), 512);
/// assert_eq!(RX.alloc(2 * MTU)?.capacity(), 1024); // rounded up to the alignment
/// # TX.alloc(1)?;
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// Tiers are `bytes x slots`, by rising size: 1 to 16 tiers of 1 to 65 536 bytes and 1 to 1022
/// slots. With the feature `reserve`, `bytes x slots + reserved` adds slots that only
/// [`Pool::alloc_reserved`](crate::Pool) takes. Each of these numbers is a literal, a constant, or an expression in braces. One call
/// may declare several pools, each with a semicolon at its end. Any of these options may follow the
/// tiers:
///
/// | option | default | meaning |
/// |---|---|---|
/// | `align = BYTES` | 1 | alignment of every slot and of requested headroom, see [`Config::align`](crate::Config::align) |
/// | `spill = TIERS` | 0 | how many of the next tiers serve a request whose tier is exhausted, see [`Config::spill`](crate::Config::spill) |
/// | `zero_on_free = BOOL` | `false` | wipe slots, see [`Config::zero_on_free`](crate::Config::zero_on_free) |
/// | `fallback = &FALLBACK` | none | a heap for the requests that no tier serves, see [`Fallback`](crate::Fallback) |
/// | `on_free = FUNCTION` | none | `fn(&'static Pool)`, see [`Pool::arm_free_notify`](crate::Pool::arm_free_notify) |
/// | `on_low = FUNCTION` | none | `fn(&'static Pool, usize)`, called when a tier runs dry, with the feature `reserve`; see [`Config::on_low`](crate::Config) |
/// | `lanes = LANES` | 1 | free lists for each tier, with the feature `lanes`; see [`Config::lanes`](crate::Config) |
/// | `lane = FUNCTION` | none | `fn() -> usize`, the lane in which a request begins; see [`Config::lane`](crate::Config) |
/// | `waiters = TASKS` | 0 | how many tasks may wait for a buffer at once, with the feature `wait`; see [`Pool::alloc_wait`](crate::Pool) |
/// | `unsafe section = "NAME"` | `.bss` | the linker section of the payload, a string literal; the section need not be initialised |
///
/// A section is the only thing that this macro cannot make safe. If you name one, you promise three
/// things. The linker places it in memory that can be written. That memory is for this program
/// alone. The name of the section has no meaning of its own (such as `.init_array`, whose words are
/// called).
///
/// The pool can be used as soon as `.bss` is zero: also in a constructor that runs before `main`,
/// and while the program ends.
///
/// A wrong list does not compile. The error says which tier is wrong, and why:
///
/// ```compile_fail
/// tierpool::pool! { static FALLING = [512 x 16, 256 x 16]; }
/// // error: tier 1 (256 bytes): smaller than the tier before it; list the tiers by rising size
/// ```
#[macro_export]
macro_rules! pool {
    ($(#[$meta:meta])* $vis:vis static $name:ident = $tiers:tt $(, $($option:ident)+ = $value:expr)* $(,)? $(; $($next:tt)*)?) => {
        $crate::__pool! { [$(#[$meta])* $vis $name] [$crate::__tiers!($tiers)] [$(::core::stringify!($($option)+)),*] [.__name(::core::stringify!($name)).__reserve($crate::__reserve!($tiers))] [] $($($option)+ = $value,)* }
        $($crate::__pools! { $($next)* })?
    };
    ($(#[$meta:meta])* $vis:vis static mut $($other:tt)*) => {
        ::core::compile_error!("a pool is no `static mut`: leave `mut` out; a shared reference is enough to allocate");
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident : $($other:tt)*) => {
        ::core::compile_error!(::core::concat!("leave the type out: `static ", ::core::stringify!($name), " = [BYTES x SLOTS, ...];` is a `tierpool::Pool`"));
    };
    ($($other:tt)*) => {
        ::core::compile_error!("expected `pool! { pub static NAME = [BYTES x SLOTS, ...], option = value, ...; }`, or `default` in place of the list");
    };
}

/// Declares the pools that follow the first one, if there are any.
#[doc(hidden)]
#[macro_export]
macro_rules! __pools {
    () => {};
    ($($next:tt)+) => {
        $crate::pool! { $($next)+ }
    };
}

/// The tiers of a pool, as a slice; or an error that says what is wrong with them.
#[doc(hidden)]
#[macro_export]
macro_rules! __tiers {
    (default) => {
        $crate::__private::DEFAULT_TIERS
    };
    ([$($size:tt x $slots:tt $(+ $reserve:tt)?),+ $(,)?]) => {
        &[$(($size, $slots)),+]
    };
    ([$($tiers:tt)*]) => {
        $crate::__wrong_tier!($($tiers)*)
    };
    ($other:tt) => {
        ::core::compile_error!(::core::concat!("expected `[BYTES x SLOTS, ...]` or `default`, found `", ::core::stringify!($other), "`"))
    };
}

/// The reserved slots of each tier, as a slice.
#[cfg(feature = "reserve")]
#[doc(hidden)]
#[macro_export]
macro_rules! __reserve {
    ([$($size:tt x $slots:tt $(+ $reserve:tt)?),+ $(,)?]) => {
        &[$(0 $(+ $reserve)?),+]
    };
    // None, or an error that `__tiers` reports.
    ($other:tt) => {
        &[]
    };
}

/// The `+` needs the feature `reserve`.
#[cfg(not(feature = "reserve"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __reserve {
    ([$($size:tt x $slots:tt),+ $(,)?]) => {
        &[]
    };
    ([$($size:tt x $slots:tt $(+ $reserve:tt)?),+ $(,)?]) => {
        ::core::compile_error!("reserved slots, as in `BYTES x SLOTS + RESERVED`, need the feature `reserve` of tierpool")
    };
    ($other:tt) => {
        &[]
    };
}

/// Finds the tier that is not written as `BYTES x SLOTS`, and says how to write it.
#[doc(hidden)]
#[macro_export]
macro_rules! __wrong_tier {
    ($size:tt x $slots:tt $(+ $reserve:tt)?, $($next:tt)*) => {
        $crate::__wrong_tier!($($next)*)
    };
    ($tier:tt $(, $($next:tt)*)?) => {
        ::core::compile_error!(::core::concat!("expected `BYTES x SLOTS`, found `", ::core::stringify!($tier), "`: put a space on each side of the `x`"))
    };
    ($size:tt * $slots:tt $(, $($next:tt)*)?) => {
        ::core::compile_error!(::core::concat!("write `", ::core::stringify!($size), " x ", ::core::stringify!($slots), "`, with an `x` in place of the `*`"))
    };
    () => {
        ::core::compile_error!("no tiers: write `[BYTES x SLOTS, ...]`, or `default`")
    };
    ($($other:tt)*) => {
        ::core::compile_error!("expected `BYTES x SLOTS`: each is a literal, a constant, or an expression in braces, as in `{MTU * 2} x 16`")
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __pool {
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt align = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .align($value)] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt spill = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .spill($value)] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt zero_on_free = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .zero_on_free($value)] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt fallback = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .fallback($value)] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt on_free = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .on_free($value)] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt on_low = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .on_low($crate::__on_low!($value))] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt lanes = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .lanes($crate::__lanes!($value))] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt lane = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .lane($crate::__lanes!($value))] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt [$($config:tt)*] $attributes:tt waiters = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given [$($config)* .waiters($crate::__waiters!($value))] $attributes $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt $config:tt $attributes:tt section = $value:expr, $($rest:tt)*) => {
        ::core::compile_error!("write `unsafe section = NAME`: only the linker script can promise that the section is memory to write to, and nothing else's");
    };
    ($static:tt $tiers:tt $given:tt $config:tt [$($attribute:tt)*] unsafe section = $value:expr, $($rest:tt)*) => {
        $crate::__pool! { $static $tiers $given $config [$($attribute)* #[unsafe(link_section = $value)]] $($rest)* }
    };
    ($static:tt $tiers:tt $given:tt $config:tt $attributes:tt $($option:ident)+ = $value:expr, $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!("no option `", ::core::stringify!($($option)+), "`; there are: align, spill, zero_on_free, fallback, on_free, on_low, lanes, lane, waiters, unsafe section"));
    };
    ([$(#[$meta:meta])* $vis:vis $name:ident] [$tiers:expr] [$($option:expr),*] [$($config:tt)*] [$($attribute:tt)*]) => {
        $(#[$meta])*
        $vis static $name: $crate::Pool = {
            // The expressions of the user see these names, but none of the names in the block
            // below.
            const __TIERPOOL_LIST: &[(usize, usize)] = $tiers;
            const fn __tierpool_config() -> $crate::Config<'static> {
                $crate::Config::new(__TIERPOOL_LIST)$($config)*
            }
            const fn __tierpool_self() -> &'static $crate::Pool {
                &$name
            }
            {
                use $crate::__private as p;
                const CONFIG: p::StaticLayout = p::StaticLayout::checked(&__tierpool_config(), &[$($option),*]);
                type Aligned = <p::Align<{ CONFIG.payload_align }> as p::Alignment>::Aligned;
                static WORDS: p::Metadata<{ CONFIG.lists }, { CONFIG.slots }> = p::Metadata::new();
                $($attribute)*
                static PAYLOAD: p::Payload<{ CONFIG.payload_bytes }, Aligned> = p::Payload::new();
                static TIERS: [p::Tier; CONFIG.lists] =
                    // SAFETY: words and payload are declared here, with the sizes of this
                    // configuration, and are used only here.
                    unsafe { p::static_tiers(&__tierpool_config(), &WORDS, &PAYLOAD, __tierpool_self()) };
                // SAFETY: the tiers are those above, and this is the pool that they refer to.
                unsafe { p::static_pool(&__tierpool_config(), &TIERS, &WORDS) }
            }
        };
    };
}

/// Declares places for `$value` waiters.
#[cfg(feature = "wait")]
#[doc(hidden)]
#[macro_export]
macro_rules! __waiters {
    ($value:expr) => {{
        static __TIERPOOL_WAITERS: $crate::Waiters<{ $value }> = $crate::Waiters::new();
        &__TIERPOOL_WAITERS
    }};
}

/// The option needs the feature `wait`.
#[cfg(not(feature = "wait"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __waiters {
    ($value:expr) => {
        ::core::compile_error!("the option `waiters` needs the feature `wait` of tierpool")
    };
}

#[cfg(feature = "lanes")]
#[doc(hidden)]
#[macro_export]
macro_rules! __lanes {
    ($value:expr) => {
        $value
    };
}

/// The options need the feature.
#[cfg(not(feature = "lanes"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __lanes {
    ($value:expr) => {
        ::core::compile_error!(
            "the options `lanes` and `lane` need the feature `lanes` of tierpool"
        )
    };
}

#[cfg(feature = "reserve")]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_low {
    ($value:expr) => {
        $value
    };
}

/// The option needs the feature.
#[cfg(not(feature = "reserve"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_low {
    ($value:expr) => {
        ::core::compile_error!("the option `on_low` needs the feature `reserve` of tierpool")
    };
}
