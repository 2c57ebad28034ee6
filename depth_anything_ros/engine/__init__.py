"""The models: building, loading, preparing frames, running the network, finishing results."""
