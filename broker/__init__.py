"""The spine: messages, bus, config and the control process. Standard library, pyzmq and msgpack only."""
