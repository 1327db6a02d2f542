"""Column files: what PostgreSQL gives, what readers take, and the Parquet between. Only here is pyarrow known."""

import pyarrow as pa

# Arrow's own allocator keeps what it once had: 45 MB more at the peak of an export, and no faster.
pa.set_memory_pool(pa.system_memory_pool())
