"""The records: database, tables, and how they came to be."""
