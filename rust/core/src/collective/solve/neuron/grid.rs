//! Groups that look alike in every node that they touch.

/// Local members and domains, as [`Groups::Grid`](crate::collective::ask::group::Groups::Grid) has them.
pub(super) type Grid<'a> = (&'a [Vec<u32>], &'a [Vec<u32>]);
