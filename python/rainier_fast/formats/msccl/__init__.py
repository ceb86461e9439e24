"""MSCCL's XML: programs of thread blocks that send, receive and add chunks."""
