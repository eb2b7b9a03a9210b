//! The wire of product-service: generated from `proto/hotdeal/product/v1/product.proto`, and how its messages
//! become bytes.

mod codec;

pub use codec::ProtobufCodec;
pub use generated::*;

#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated: the proto file carries the documentation"
)]
mod generated {
    tonic::include_proto!("hotdeal.product.v1");
}

/// Every message and service of the wire as an encoded `FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
