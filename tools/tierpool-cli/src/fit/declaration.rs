//! A tier list as a `pool!` declaration that compiles, in lines of at most 100 columns.

use tierpool_traces::fit::Geometry;

/// The widest line.
const COLUMNS: usize = 100;

/// What Rust does not take for the name of a static, beside what looks like no name.
const KEYWORDS: [&str; 52] = [
    "Self", "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue",
    "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// Reads the name of a static.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let letters = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if letters && !KEYWORDS.contains(&text) && text != "yield" {
        Ok(text.into())
    } else {
        Err("a static has a name of letters, digits and `_`, such as RX".into())
    }
}

/// The declaration: in one line if it is short enough.
pub(crate) fn declaration(name: &str, geometry: &Geometry) -> String {
    let line = format!("tierpool::pool! {{ pub static {name} = {geometry}; }}");
    if line.len() <= COLUMNS {
        return line;
    }
    let mut lines =
        vec!["tierpool::pool! {".to_owned(), format!("    pub static {name} = ["), String::new()];
    for (bytes, slots) in &geometry.tiers {
        let tier = format!("{bytes} x {slots},");
        match lines.last_mut() {
            Some(last) if last.is_empty() => *last = format!("        {tier}"),
            Some(last) if last.len() + 1 + tier.len() <= COLUMNS => *last += &format!(" {tier}"),
            _ => lines.push(format!("        {tier}")),
        }
    }
    let spill = match geometry.spill {
        0 => String::new(),
        spill => format!(", spill = {spill}"),
    };
    lines.extend([format!("    ]{spill};"), "}".to_owned()]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    mod wrapped {
        include!("declaration_wrapped.rs");
    }

    /// What is in the file is a declaration of the library, and what is printed is the file.
    #[test]
    fn the_wrapped_declaration_compiles() {
        tierpool::pool! { pub static SHORT = [64 x 1], spill = 1; }
        let written = |name, pool: &tierpool::Pool, spill| {
            let tiers = pool.stats().tiers().iter().map(|tier| (tier.size, tier.slots)).collect();
            declaration(name, &Geometry { tiers, spill })
        };
        let wrapped = written("WRAPPED", &wrapped::WRAPPED, 1);
        assert_eq!(wrapped, include_str!("declaration_wrapped.rs").trim_end());
        assert!(wrapped.lines().all(|line| line.len() <= COLUMNS));
        assert_eq!(
            written("SHORT", &SHORT, 1),
            "tierpool::pool! { pub static SHORT = [64 x 1], spill = 1; }"
        );
    }

    #[test]
    fn a_static_has_a_name() {
        assert_eq!(["RX", "_a1", "rx"].map(|text| name(text).is_ok()), [true; 3]);
        assert_eq!(
            ["", "1X", "R X", "_", "self", "ünder"].map(|text| name(text).is_ok()),
            [false; 6]
        );
        assert!(KEYWORDS.is_sorted());
    }
}
