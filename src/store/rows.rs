//! Many rows by one statement: what a statement costs beside its rows is a third of it.

use rusqlite::{Connection, Statement};

use crate::store::StoreError;

/// Rows of one statement, where there are as many.
const ROWS: usize = 32;

/// An insertion into a table, within a transaction that is given up where a row cannot be inserted.
pub(super) struct Insertion {
    columns: usize,
    one_row: String,
    many_rows: String,
}

impl Insertion {
    /// Into a table, named with its columns.
    pub(super) fn new(table: &str, columns: usize) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        // Without FAIL a copy is kept of each page that the statement changes, so that it can be taken back alone.
        let rows = |count| format!("INSERT OR FAIL INTO {table} VALUES {}", vec![row.as_str(); count].join(", "));
        Self { columns, one_row: rows(1), many_rows: rows(ROWS) }
    }

    /// Inserts a row for each item. `bind` gives the values of an item to the parameters from a number on.
    pub(super) fn run<T>(
        &self,
        transaction: &Connection,
        items: &[T],
        mut bind: impl FnMut(&mut Statement<'_>, usize, &T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut execute = |statement: &mut Statement<'_>, items: &[T]| {
            for (item, first) in items.iter().zip((1..).step_by(self.columns)) {
                bind(statement, first, item)?;
            }
            Ok::<_, StoreError>(statement.raw_execute().map(|_| ())?)
        };
        let (slabs, rest) = items.as_chunks::<ROWS>();
        if !slabs.is_empty() {
            let mut many_rows = transaction.prepare_cached(&self.many_rows)?;
            slabs.iter().try_for_each(|slab| execute(&mut many_rows, slab))?;
        }
        let mut one_row = transaction.prepare_cached(&self.one_row)?;
        rest.chunks(1).try_for_each(|item| execute(&mut one_row, item))
    }
}
