//! The wire of product-service: generated from `proto/hotdeal/product/v1/product.proto`, nothing else.

#![expect(
    missing_docs,
    reason = "generated: the proto file carries the documentation"
)]

tonic::include_proto!("hotdeal.product.v1");

/// Every message and service of the wire as an encoded `FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
