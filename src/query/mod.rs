//! Questions asked of a vault: list, find, diff, statistics.
