"""Pictures of networks and paths, in scikit-learn's Display conventions."""
