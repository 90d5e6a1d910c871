"""The database itself: connections, transactions, column types, bulk inserts, migrations."""
