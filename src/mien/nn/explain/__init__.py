"""What a network looks at: pure tensor code for any network whose layers are modules."""
