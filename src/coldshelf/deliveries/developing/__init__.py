"""For those who write receivers: what events say, events to try out, a stream of them, a sandbox."""
