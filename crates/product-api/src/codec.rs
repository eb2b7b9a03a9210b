//! How messages become bytes: protobuf, in buffers of the size of our messages.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// A request or an answer of one line with its frame; a longer one makes its buffer grow. What tonic would take,
/// 8 KiB, is a third of all that a waiting request needs.
const MESSAGE_LEN: usize = 512;
/// How much of a stream gathers before it is sent on, as tonic has it.
const YIELD_THRESHOLD: usize = 32 * 1024;

/// The codec of the generated client and server.
#[derive(Debug, Clone)]
pub struct ProtobufCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for ProtobufCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ProtobufCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::new(MESSAGE_LEN, YIELD_THRESHOLD))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<T, U>::raw_decoder(BufferSettings::new(MESSAGE_LEN, YIELD_THRESHOLD))
    }
}
