"""The call list and a call, where staff work all day."""
