"""Models of training steps and of serving: what a transformer computes, keeps and sends."""
