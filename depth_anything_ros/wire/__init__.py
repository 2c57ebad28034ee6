"""Bytes in, values out, and back; no sockets and no engine."""
