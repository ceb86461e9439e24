use super::Routing;
use crate::Result;
use crate::machine::{Damage, Domain};
pub(crate) struct DomainRoutes<'a>(&'a Domain, &'a Damage);
impl<'a> DomainRoutes<'a> {
    pub(crate) fn new(domain: &'a Domain, damage: &'a Damage, _: &Routing) -> Result<Self> {
        Ok(Self(domain, damage))
    }
    pub(crate) fn walk(&self, _: u32, _: u32, _: &mut impl FnMut(u64, f64)) -> Result<()> {
        todo!()
    }
    pub(crate) fn port(&self, _: bool, _: u32) -> Option<u32> {
        todo!()
    }
}
