"""The HTTP edge in the dialects that existing SDKs speak. No logic of its own."""
