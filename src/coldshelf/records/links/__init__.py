"""Links for people without an account, as records: made, listed, taken back. The door itself is in access."""
