//! What is known without asking a vault (rebuildable), and what happened (job history), in SQLite.
