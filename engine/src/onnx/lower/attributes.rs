//! Reads a node's attributes by name. `absent` is the value of an attribute that the node does not have: the callers
//! know ONNX's defaults. An attribute of another type than the one that is read is 0 or empty.

use tract_onnx::pb::{AttributeProto, NodeProto};

pub(super) struct Attributes<'a>(&'a NodeProto);

impl<'a> Attributes<'a> {
    pub(super) fn of(node: &'a NodeProto) -> Attributes<'a> {
        Attributes(node)
    }

    fn get(&self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn integer(&self, name: &str, absent: i64) -> i64 {
        self.get(name).map_or(absent, |attribute| attribute.i)
    }

    pub(super) fn float(&self, name: &str, absent: f32) -> f32 {
        self.get(name).map_or(absent, |attribute| attribute.f)
    }

    pub(super) fn optional_float(&self, name: &str) -> Option<f32> {
        self.get(name).map(|attribute| attribute.f)
    }

    pub(super) fn integers(&self, name: &str) -> Option<&'a [i64]> {
        self.get(name).map(|attribute| &attribute.ints[..])
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|attribute| std::str::from_utf8(&attribute.s).ok())
    }
}
