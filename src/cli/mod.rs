//! One file a subcommand, for cron, scripts and pipes.
