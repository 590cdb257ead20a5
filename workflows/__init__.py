"""What must survive a restart: orchestration only, deterministic."""
