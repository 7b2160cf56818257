//! Multi-row INSERT: executing a statement costs a third of what inserting a row costs.

use rusqlite::{Connection, Statement};

use crate::store::error::StoreError;

/// Rows of one statement, as long as there are as many.
const ROWS: usize = 32;

/// Prepared text to insert many rows into a table. If a row cannot be inserted, the transaction must be rolled back.
pub(super) struct BulkInsert {
    columns: usize,
    one_row: String,
    many_rows: String,
}

impl BulkInsert {
    /// `table` is the table's name with its columns: `log (seq, time)`.
    pub(super) fn new(table: &str, columns: usize) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        // With FAIL, SQLite saves no copies of the pages that the statement changes to undo the statement alone.
        let rows = |count| format!("INSERT OR FAIL INTO {table} VALUES {}", vec![row.as_str(); count].join(", "));
        Self { columns, one_row: rows(1), many_rows: rows(ROWS) }
    }

    /// Inserts a row for each item. `bind` binds the values of an item to the parameters from the given index on.
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
        let (groups, rest) = items.as_chunks::<ROWS>();
        if !groups.is_empty() {
            let mut many_rows = transaction.prepare_cached(&self.many_rows)?;
            groups.iter().try_for_each(|group| execute(&mut many_rows, group))?;
        }
        let mut one_row = transaction.prepare_cached(&self.one_row)?;
        rest.chunks(1).try_for_each(|item| execute(&mut one_row, item))
    }
}
