"""Column files: what PostgreSQL gives, what readers take, and the Parquet between. Only here is pyarrow known."""
