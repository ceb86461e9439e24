"""Where real stacks put the ranks of a job: `rank_groups`, and `layout_axes` for a step."""
