"""The database: connections, transactions, column types, bulk inserts, upserts, migrations."""
