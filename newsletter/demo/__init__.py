"""The demo's newsletter: its subscribers, an issue that was sent, and a draft that waits."""
