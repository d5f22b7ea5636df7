//! Tables, for the terminal and for documents.

/// Rows under headings; the first `text` columns are aligned left, the others, figures, right.
pub struct Table {
    rows: Vec<Vec<String>>,
    text: usize,
}

impl Table {
    pub fn new(headings: &[&str], text: usize) -> Table {
        Table { rows: vec![headings.iter().map(|heading| heading.to_string()).collect()], text }
    }

    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn aligned(&self) -> impl Iterator<Item = Vec<String>> {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(&widths).enumerate();
            cells
                .map(|(i, (cell, width))| {
                    if i < self.text {
                        format!("{cell:<width$}")
                    } else {
                        format!("{cell:>width$}")
                    }
                })
                .collect()
        })
    }

    /// Columns apart by two spaces.
    pub fn plain(&self) -> String {
        self.aligned().map(|row| row.join("  ").trim_end().to_string() + "\n").collect()
    }

    pub fn markdown(&self) -> String {
        let mut lines: Vec<String> =
            self.aligned().map(|row| format!("| {} |", row.join(" | "))).collect();
        let rules =
            (0..self.rows[0].len()).map(|column| if column < self.text { ":---" } else { "---:" });
        lines.insert(1, format!("| {} |", rules.collect::<Vec<_>>().join(" | ")));
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["name", "n"], 1);
        table.row(["a", "100"]);
        assert_eq!(table.plain(), "name    n\na     100\n");
        assert_eq!(table.markdown(), "| name |   n |\n| :--- | ---: |\n| a    | 100 |\n");
    }
}
