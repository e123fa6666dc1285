import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.router.v1 import router_pb2 as _router_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Lifecycle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIFECYCLE_UNSPECIFIED: _ClassVar[Lifecycle]
    LIFECYCLE_PREVIEW: _ClassVar[Lifecycle]
    LIFECYCLE_ACTIVE: _ClassVar[Lifecycle]
    LIFECYCLE_DEPRECATED: _ClassVar[Lifecycle]
    LIFECYCLE_RETIRED: _ClassVar[Lifecycle]

class OfferState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OFFER_STATE_UNSPECIFIED: _ClassVar[OfferState]
    OFFER_STATE_NOT_ACCEPTED: _ClassVar[OfferState]
    OFFER_STATE_ACCEPTED: _ClassVar[OfferState]
    OFFER_STATE_PROPOSED: _ClassVar[OfferState]
LIFECYCLE_UNSPECIFIED: Lifecycle
LIFECYCLE_PREVIEW: Lifecycle
LIFECYCLE_ACTIVE: Lifecycle
LIFECYCLE_DEPRECATED: Lifecycle
LIFECYCLE_RETIRED: Lifecycle
OFFER_STATE_UNSPECIFIED: OfferState
OFFER_STATE_NOT_ACCEPTED: OfferState
OFFER_STATE_ACCEPTED: OfferState
OFFER_STATE_PROPOSED: OfferState

class Model(_message.Message):
    __slots__ = ("name", "alias", "display_name", "adapter", "endpoint", "upstream_model", "dialect", "capabilities", "context_window", "max_output_tokens", "region", "data_classes", "service_level", "lifecycle", "retire_time", "free", "image_tokens", "shared_with", "zero_retention", "credential", "etag", "create_time", "update_time", "price", "conflicts", "audio_tokens", "file_tokens", "audio_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    DATA_CLASSES_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LIFECYCLE_FIELD_NUMBER: _ClassVar[int]
    RETIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_FIELD_NUMBER: _ClassVar[int]
    ZERO_RETENTION_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TOKENS_FIELD_NUMBER: _ClassVar[int]
    FILE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    alias: str
    display_name: str
    adapter: str
    endpoint: str
    upstream_model: str
    dialect: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    context_window: int
    max_output_tokens: int
    region: str
    data_classes: _containers.RepeatedScalarFieldContainer[str]
    service_level: ServiceLevel
    lifecycle: Lifecycle
    retire_time: _timestamp_pb2.Timestamp
    free: bool
    image_tokens: int
    shared_with: _containers.RepeatedScalarFieldContainer[str]
    zero_retention: bool
    credential: str
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    price: Price
    conflicts: _containers.RepeatedScalarFieldContainer[str]
    audio_tokens: int
    file_tokens: int
    audio_seconds: int
    def __init__(self, name: _Optional[str] = ..., alias: _Optional[str] = ..., display_name: _Optional[str] = ..., adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., upstream_model: _Optional[str] = ..., dialect: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., context_window: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., region: _Optional[str] = ..., data_classes: _Optional[_Iterable[str]] = ..., service_level: _Optional[_Union[ServiceLevel, _Mapping]] = ..., lifecycle: _Optional[_Union[Lifecycle, str]] = ..., retire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., free: _Optional[bool] = ..., image_tokens: _Optional[int] = ..., shared_with: _Optional[_Iterable[str]] = ..., zero_retention: _Optional[bool] = ..., credential: _Optional[str] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., price: _Optional[_Union[Price, _Mapping]] = ..., conflicts: _Optional[_Iterable[str]] = ..., audio_tokens: _Optional[int] = ..., file_tokens: _Optional[int] = ..., audio_seconds: _Optional[int] = ...) -> None: ...

class ServiceLevel(_message.Message):
    __slots__ = ("availability_millipercent", "first_token_p90_ms", "contact")
    AVAILABILITY_MILLIPERCENT_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_P90_MS_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    availability_millipercent: int
    first_token_p90_ms: int
    contact: str
    def __init__(self, availability_millipercent: _Optional[int] = ..., first_token_p90_ms: _Optional[int] = ..., contact: _Optional[str] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("name", "currency", "input_nanos_per_million", "output_nanos_per_million", "cached_input_nanos_per_million", "cache_write_nanos_per_million", "reasoning_nanos_per_million", "audio_input_nanos_per_million", "audio_output_nanos_per_million", "request_nanos_per_million", "valid_from", "valid_until", "source", "create_time", "cache_write_5m_nanos_per_million", "cache_write_30m_nanos_per_million", "cache_write_1h_nanos_per_million", "cache_write_12h_nanos_per_million", "image_input_nanos_per_million", "image_output_nanos_per_million", "audio_input_second_nanos_per_million", "audio_output_second_nanos_per_million", "character_nanos_per_million", "search_unit_nanos_per_million", "images", "variants")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    REASONING_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_5M_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_30M_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_1H_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_12H_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_SECOND_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_SECOND_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    SEARCH_UNIT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    currency: str
    input_nanos_per_million: int
    output_nanos_per_million: int
    cached_input_nanos_per_million: int
    cache_write_nanos_per_million: int
    reasoning_nanos_per_million: int
    audio_input_nanos_per_million: int
    audio_output_nanos_per_million: int
    request_nanos_per_million: int
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    source: str
    create_time: _timestamp_pb2.Timestamp
    cache_write_5m_nanos_per_million: int
    cache_write_30m_nanos_per_million: int
    cache_write_1h_nanos_per_million: int
    cache_write_12h_nanos_per_million: int
    image_input_nanos_per_million: int
    image_output_nanos_per_million: int
    audio_input_second_nanos_per_million: int
    audio_output_second_nanos_per_million: int
    character_nanos_per_million: int
    search_unit_nanos_per_million: int
    images: _containers.RepeatedCompositeFieldContainer[ImagePrice]
    variants: _containers.RepeatedCompositeFieldContainer[PriceVariant]
    def __init__(self, name: _Optional[str] = ..., currency: _Optional[str] = ..., input_nanos_per_million: _Optional[int] = ..., output_nanos_per_million: _Optional[int] = ..., cached_input_nanos_per_million: _Optional[int] = ..., cache_write_nanos_per_million: _Optional[int] = ..., reasoning_nanos_per_million: _Optional[int] = ..., audio_input_nanos_per_million: _Optional[int] = ..., audio_output_nanos_per_million: _Optional[int] = ..., request_nanos_per_million: _Optional[int] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cache_write_5m_nanos_per_million: _Optional[int] = ..., cache_write_30m_nanos_per_million: _Optional[int] = ..., cache_write_1h_nanos_per_million: _Optional[int] = ..., cache_write_12h_nanos_per_million: _Optional[int] = ..., image_input_nanos_per_million: _Optional[int] = ..., image_output_nanos_per_million: _Optional[int] = ..., audio_input_second_nanos_per_million: _Optional[int] = ..., audio_output_second_nanos_per_million: _Optional[int] = ..., character_nanos_per_million: _Optional[int] = ..., search_unit_nanos_per_million: _Optional[int] = ..., images: _Optional[_Iterable[_Union[ImagePrice, _Mapping]]] = ..., variants: _Optional[_Iterable[_Union[PriceVariant, _Mapping]]] = ...) -> None: ...

class ImagePrice(_message.Message):
    __slots__ = ("size", "quality", "image_nanos_per_million")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    IMAGE_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    size: str
    quality: str
    image_nanos_per_million: int
    def __init__(self, size: _Optional[str] = ..., quality: _Optional[str] = ..., image_nanos_per_million: _Optional[int] = ...) -> None: ...

class PriceVariant(_message.Message):
    __slots__ = ("tier", "upstream_model", "input_nanos_per_million", "output_nanos_per_million", "cached_input_nanos_per_million", "cache_write_nanos_per_million", "reasoning_nanos_per_million", "audio_input_nanos_per_million", "audio_output_nanos_per_million", "request_nanos_per_million", "cache_write_5m_nanos_per_million", "cache_write_30m_nanos_per_million", "cache_write_1h_nanos_per_million", "cache_write_12h_nanos_per_million", "image_input_nanos_per_million", "image_output_nanos_per_million", "audio_input_second_nanos_per_million", "audio_output_second_nanos_per_million", "character_nanos_per_million", "search_unit_nanos_per_million", "images")
    TIER_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    REASONING_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_5M_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_30M_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_1H_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_12H_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_SECOND_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_SECOND_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    SEARCH_UNIT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    tier: _generate_pb2.ServiceTier
    upstream_model: str
    input_nanos_per_million: int
    output_nanos_per_million: int
    cached_input_nanos_per_million: int
    cache_write_nanos_per_million: int
    reasoning_nanos_per_million: int
    audio_input_nanos_per_million: int
    audio_output_nanos_per_million: int
    request_nanos_per_million: int
    cache_write_5m_nanos_per_million: int
    cache_write_30m_nanos_per_million: int
    cache_write_1h_nanos_per_million: int
    cache_write_12h_nanos_per_million: int
    image_input_nanos_per_million: int
    image_output_nanos_per_million: int
    audio_input_second_nanos_per_million: int
    audio_output_second_nanos_per_million: int
    character_nanos_per_million: int
    search_unit_nanos_per_million: int
    images: _containers.RepeatedCompositeFieldContainer[ImagePrice]
    def __init__(self, tier: _Optional[_Union[_generate_pb2.ServiceTier, str]] = ..., upstream_model: _Optional[str] = ..., input_nanos_per_million: _Optional[int] = ..., output_nanos_per_million: _Optional[int] = ..., cached_input_nanos_per_million: _Optional[int] = ..., cache_write_nanos_per_million: _Optional[int] = ..., reasoning_nanos_per_million: _Optional[int] = ..., audio_input_nanos_per_million: _Optional[int] = ..., audio_output_nanos_per_million: _Optional[int] = ..., request_nanos_per_million: _Optional[int] = ..., cache_write_5m_nanos_per_million: _Optional[int] = ..., cache_write_30m_nanos_per_million: _Optional[int] = ..., cache_write_1h_nanos_per_million: _Optional[int] = ..., cache_write_12h_nanos_per_million: _Optional[int] = ..., image_input_nanos_per_million: _Optional[int] = ..., image_output_nanos_per_million: _Optional[int] = ..., audio_input_second_nanos_per_million: _Optional[int] = ..., audio_output_second_nanos_per_million: _Optional[int] = ..., character_nanos_per_million: _Optional[int] = ..., search_unit_nanos_per_million: _Optional[int] = ..., images: _Optional[_Iterable[_Union[ImagePrice, _Mapping]]] = ...) -> None: ...

class Adapter(_message.Message):
    __slots__ = ("name", "dialect", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    dialect: str
    description: str
    def __init__(self, name: _Optional[str] = ..., dialect: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("name", "operator", "description", "region", "processor", "data_classes", "zero_retention", "credentials", "upstream_models", "free_allowed", "price_floor", "domains", "etag", "create_time", "update_time", "token_floor", "connection")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_FIELD_NUMBER: _ClassVar[int]
    DATA_CLASSES_FIELD_NUMBER: _ClassVar[int]
    ZERO_RETENTION_FIELD_NUMBER: _ClassVar[int]
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODELS_FIELD_NUMBER: _ClassVar[int]
    FREE_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    PRICE_FLOOR_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FLOOR_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    operator: str
    description: str
    region: str
    processor: str
    data_classes: _containers.RepeatedScalarFieldContainer[str]
    zero_retention: bool
    credentials: _containers.RepeatedScalarFieldContainer[str]
    upstream_models: _containers.RepeatedScalarFieldContainer[str]
    free_allowed: bool
    price_floor: PriceFloor
    domains: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    token_floor: TokenFloor
    connection: EndpointConnection
    def __init__(self, name: _Optional[str] = ..., operator: _Optional[str] = ..., description: _Optional[str] = ..., region: _Optional[str] = ..., processor: _Optional[str] = ..., data_classes: _Optional[_Iterable[str]] = ..., zero_retention: _Optional[bool] = ..., credentials: _Optional[_Iterable[str]] = ..., upstream_models: _Optional[_Iterable[str]] = ..., free_allowed: _Optional[bool] = ..., price_floor: _Optional[_Union[PriceFloor, _Mapping]] = ..., domains: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., token_floor: _Optional[_Union[TokenFloor, _Mapping]] = ..., connection: _Optional[_Union[EndpointConnection, _Mapping]] = ...) -> None: ...

class EndpointConnection(_message.Message):
    __slots__ = ("base_url", "like", "credential", "allowed_ranges", "local", "proxy", "http2", "client_certificate_file", "client_key_file", "authorities_file", "max_in_flight")
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    LIKE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_RANGES_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    PROXY_FIELD_NUMBER: _ClassVar[int]
    HTTP2_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CERTIFICATE_FILE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_KEY_FILE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITIES_FILE_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    base_url: str
    like: str
    credential: CredentialReference
    allowed_ranges: _containers.RepeatedScalarFieldContainer[str]
    local: bool
    proxy: str
    http2: bool
    client_certificate_file: str
    client_key_file: str
    authorities_file: str
    max_in_flight: int
    def __init__(self, base_url: _Optional[str] = ..., like: _Optional[str] = ..., credential: _Optional[_Union[CredentialReference, _Mapping]] = ..., allowed_ranges: _Optional[_Iterable[str]] = ..., local: _Optional[bool] = ..., proxy: _Optional[str] = ..., http2: _Optional[bool] = ..., client_certificate_file: _Optional[str] = ..., client_key_file: _Optional[str] = ..., authorities_file: _Optional[str] = ..., max_in_flight: _Optional[int] = ...) -> None: ...

class CredentialReference(_message.Message):
    __slots__ = ("origin", "environment_variable", "file")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    origin: str
    environment_variable: str
    file: str
    def __init__(self, origin: _Optional[str] = ..., environment_variable: _Optional[str] = ..., file: _Optional[str] = ...) -> None: ...

class WatchEndpointsRequest(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: str
    def __init__(self, adapter: _Optional[str] = ...) -> None: ...

class WatchEndpointsResponse(_message.Message):
    __slots__ = ("endpoints",)
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ...) -> None: ...

class TokenFloor(_message.Message):
    __slots__ = ("image_tokens", "audio_tokens", "file_tokens", "audio_seconds", "context_window", "hidden_output")
    IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_TOKENS_FIELD_NUMBER: _ClassVar[int]
    FILE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    image_tokens: int
    audio_tokens: int
    file_tokens: int
    audio_seconds: int
    context_window: int
    hidden_output: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, image_tokens: _Optional[int] = ..., audio_tokens: _Optional[int] = ..., file_tokens: _Optional[int] = ..., audio_seconds: _Optional[int] = ..., context_window: _Optional[int] = ..., hidden_output: _Optional[_Iterable[str]] = ...) -> None: ...

class PriceFloor(_message.Message):
    __slots__ = ("currency", "input_nanos_per_million", "output_nanos_per_million", "cached_input_nanos_per_million", "cache_write_nanos_per_million", "reasoning_nanos_per_million", "audio_input_nanos_per_million", "audio_output_nanos_per_million", "request_nanos_per_million", "cache_write_5m_nanos_per_million", "cache_write_30m_nanos_per_million", "cache_write_1h_nanos_per_million", "cache_write_12h_nanos_per_million", "image_input_nanos_per_million", "image_output_nanos_per_million", "audio_input_second_nanos_per_million", "audio_output_second_nanos_per_million", "character_nanos_per_million", "search_unit_nanos_per_million", "images", "variants")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    REASONING_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_5M_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_30M_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_1H_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_12H_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_INPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_OUTPUT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_SECOND_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_SECOND_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    SEARCH_UNIT_NANOS_PER_MILLION_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    currency: str
    input_nanos_per_million: int
    output_nanos_per_million: int
    cached_input_nanos_per_million: int
    cache_write_nanos_per_million: int
    reasoning_nanos_per_million: int
    audio_input_nanos_per_million: int
    audio_output_nanos_per_million: int
    request_nanos_per_million: int
    cache_write_5m_nanos_per_million: int
    cache_write_30m_nanos_per_million: int
    cache_write_1h_nanos_per_million: int
    cache_write_12h_nanos_per_million: int
    image_input_nanos_per_million: int
    image_output_nanos_per_million: int
    audio_input_second_nanos_per_million: int
    audio_output_second_nanos_per_million: int
    character_nanos_per_million: int
    search_unit_nanos_per_million: int
    images: _containers.RepeatedCompositeFieldContainer[ImagePrice]
    variants: _containers.RepeatedCompositeFieldContainer[PriceVariant]
    def __init__(self, currency: _Optional[str] = ..., input_nanos_per_million: _Optional[int] = ..., output_nanos_per_million: _Optional[int] = ..., cached_input_nanos_per_million: _Optional[int] = ..., cache_write_nanos_per_million: _Optional[int] = ..., reasoning_nanos_per_million: _Optional[int] = ..., audio_input_nanos_per_million: _Optional[int] = ..., audio_output_nanos_per_million: _Optional[int] = ..., request_nanos_per_million: _Optional[int] = ..., cache_write_5m_nanos_per_million: _Optional[int] = ..., cache_write_30m_nanos_per_million: _Optional[int] = ..., cache_write_1h_nanos_per_million: _Optional[int] = ..., cache_write_12h_nanos_per_million: _Optional[int] = ..., image_input_nanos_per_million: _Optional[int] = ..., image_output_nanos_per_million: _Optional[int] = ..., audio_input_second_nanos_per_million: _Optional[int] = ..., audio_output_second_nanos_per_million: _Optional[int] = ..., character_nanos_per_million: _Optional[int] = ..., search_unit_nanos_per_million: _Optional[int] = ..., images: _Optional[_Iterable[_Union[ImagePrice, _Mapping]]] = ..., variants: _Optional[_Iterable[_Union[PriceVariant, _Mapping]]] = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEndpointsResponse(_message.Message):
    __slots__ = ("endpoints", "next_page_token")
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    next_page_token: str
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetEndpointRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetEndpointResponse(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ...) -> None: ...

class PutEndpointRequest(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ...) -> None: ...

class PutEndpointResponse(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ...) -> None: ...

class DeleteEndpointRequest(_message.Message):
    __slots__ = ("name", "etag", "force")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    force: bool
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., force: _Optional[bool] = ...) -> None: ...

class DeleteEndpointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateModelRequest(_message.Message):
    __slots__ = ("parent", "model_id", "model")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    parent: str
    model_id: str
    model: Model
    def __init__(self, parent: _Optional[str] = ..., model_id: _Optional[str] = ..., model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class CreateModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    next_page_token: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateModelRequest(_message.Message):
    __slots__ = ("model", "update_mask")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    model: Model
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class DeprecateModelRequest(_message.Message):
    __slots__ = ("name", "retire_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RETIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    retire_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., retire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeprecateModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class CreatePriceRequest(_message.Message):
    __slots__ = ("parent", "price")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    price: Price
    def __init__(self, parent: _Optional[str] = ..., price: _Optional[_Union[Price, _Mapping]] = ...) -> None: ...

class CreatePriceResponse(_message.Message):
    __slots__ = ("price",)
    PRICE_FIELD_NUMBER: _ClassVar[int]
    price: Price
    def __init__(self, price: _Optional[_Union[Price, _Mapping]] = ...) -> None: ...

class GetPriceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPriceResponse(_message.Message):
    __slots__ = ("price",)
    PRICE_FIELD_NUMBER: _ClassVar[int]
    price: Price
    def __init__(self, price: _Optional[_Union[Price, _Mapping]] = ...) -> None: ...

class ListPricesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPricesResponse(_message.Message):
    __slots__ = ("prices", "next_page_token")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    prices: _containers.RepeatedCompositeFieldContainer[Price]
    next_page_token: str
    def __init__(self, prices: _Optional[_Iterable[_Union[Price, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListAdaptersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAdaptersResponse(_message.Message):
    __slots__ = ("adapters", "next_page_token")
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    adapters: _containers.RepeatedCompositeFieldContainer[Adapter]
    next_page_token: str
    def __init__(self, adapters: _Optional[_Iterable[_Union[Adapter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PutAdapterRequest(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: Adapter
    def __init__(self, adapter: _Optional[_Union[Adapter, _Mapping]] = ...) -> None: ...

class PutAdapterResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: Adapter
    def __init__(self, adapter: _Optional[_Union[Adapter, _Mapping]] = ...) -> None: ...

class ListWellKnownModelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "endpoint")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    endpoint: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., endpoint: _Optional[str] = ...) -> None: ...

class ListWellKnownModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    next_page_token: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchModelsRequest(_message.Message):
    __slots__ = ("resume_token",)
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    def __init__(self, resume_token: _Optional[str] = ...) -> None: ...

class WatchModelsResponse(_message.Message):
    __slots__ = ("models", "removed", "prices", "snapshot_complete", "resume_token", "reset", "accepted_products", "removed_accepted_products")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_ACCEPTED_PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    removed: _containers.RepeatedScalarFieldContainer[str]
    prices: _containers.RepeatedCompositeFieldContainer[Price]
    snapshot_complete: bool
    resume_token: str
    reset: bool
    accepted_products: _containers.RepeatedCompositeFieldContainer[AcceptedProduct]
    removed_accepted_products: _containers.RepeatedCompositeFieldContainer[RemovedAcceptedProduct]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., removed: _Optional[_Iterable[str]] = ..., prices: _Optional[_Iterable[_Union[Price, _Mapping]]] = ..., snapshot_complete: _Optional[bool] = ..., resume_token: _Optional[str] = ..., reset: _Optional[bool] = ..., accepted_products: _Optional[_Iterable[_Union[AcceptedProduct, _Mapping]]] = ..., removed_accepted_products: _Optional[_Iterable[_Union[RemovedAcceptedProduct, _Mapping]]] = ...) -> None: ...

class RemovedAcceptedProduct(_message.Message):
    __slots__ = ("domain", "product")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    domain: str
    product: str
    def __init__(self, domain: _Optional[str] = ..., product: _Optional[str] = ...) -> None: ...

class ApplyModelsRequest(_message.Message):
    __slots__ = ("parent", "dry_run", "models", "adapters", "endpoints", "update_masks")
    class UpdateMasksEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _field_mask_pb2.FieldMask
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASKS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    dry_run: bool
    models: _containers.RepeatedCompositeFieldContainer[Model]
    adapters: _containers.RepeatedCompositeFieldContainer[Adapter]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    update_masks: _containers.MessageMap[str, _field_mask_pb2.FieldMask]
    def __init__(self, parent: _Optional[str] = ..., dry_run: _Optional[bool] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., adapters: _Optional[_Iterable[_Union[Adapter, _Mapping]]] = ..., endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., update_masks: _Optional[_Mapping[str, _field_mask_pb2.FieldMask]] = ...) -> None: ...

class ApplyModelsResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Change]
    def __init__(self, changes: _Optional[_Iterable[_Union[_resources_pb2.Change, _Mapping]]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("name", "publisher", "product", "alias", "accepted_version", "model", "route", "proposed", "withdrawn", "products", "proposals", "etag", "create_time", "update_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    publisher: str
    product: str
    alias: str
    accepted_version: str
    model: Model
    route: _router_pb2.Route
    proposed: Offer
    withdrawn: bool
    products: int
    proposals: int
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., publisher: _Optional[str] = ..., product: _Optional[str] = ..., alias: _Optional[str] = ..., accepted_version: _Optional[str] = ..., model: _Optional[_Union[Model, _Mapping]] = ..., route: _Optional[_Union[_router_pb2.Route, _Mapping]] = ..., proposed: _Optional[_Union[Offer, _Mapping]] = ..., withdrawn: _Optional[bool] = ..., products: _Optional[int] = ..., proposals: _Optional[int] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("product", "alias", "version", "model", "route", "accepted", "proposed_fields", "offered_to", "subscribers")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    OFFERED_TO_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBERS_FIELD_NUMBER: _ClassVar[int]
    product: str
    alias: str
    version: str
    model: Model
    route: _router_pb2.Route
    accepted: AcceptedProduct
    proposed_fields: _containers.RepeatedScalarFieldContainer[str]
    offered_to: _containers.RepeatedScalarFieldContainer[str]
    subscribers: int
    def __init__(self, product: _Optional[str] = ..., alias: _Optional[str] = ..., version: _Optional[str] = ..., model: _Optional[_Union[Model, _Mapping]] = ..., route: _Optional[_Union[_router_pb2.Route, _Mapping]] = ..., accepted: _Optional[_Union[AcceptedProduct, _Mapping]] = ..., proposed_fields: _Optional[_Iterable[str]] = ..., offered_to: _Optional[_Iterable[str]] = ..., subscribers: _Optional[int] = ...) -> None: ...

class AcceptedProduct(_message.Message):
    __slots__ = ("domain", "product", "subscription", "alias", "own_alias", "version", "model", "route", "accepted_price", "accept_time")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    OWN_ALIAS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_PRICE_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_TIME_FIELD_NUMBER: _ClassVar[int]
    domain: str
    product: str
    subscription: str
    alias: str
    own_alias: bool
    version: str
    model: Model
    route: _router_pb2.Route
    accepted_price: Price
    accept_time: _timestamp_pb2.Timestamp
    def __init__(self, domain: _Optional[str] = ..., product: _Optional[str] = ..., subscription: _Optional[str] = ..., alias: _Optional[str] = ..., own_alias: _Optional[bool] = ..., version: _Optional[str] = ..., model: _Optional[_Union[Model, _Mapping]] = ..., route: _Optional[_Union[_router_pb2.Route, _Mapping]] = ..., accepted_price: _Optional[_Union[Price, _Mapping]] = ..., accept_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ProductVersion(_message.Message):
    __slots__ = ("product", "version")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    product: str
    version: str
    def __init__(self, product: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class CreateSubscriptionRequest(_message.Message):
    __slots__ = ("parent", "subscription_id", "subscription")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    parent: str
    subscription_id: str
    subscription: Subscription
    def __init__(self, parent: _Optional[str] = ..., subscription_id: _Optional[str] = ..., subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class CreateSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class ListSubscriptionsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions", "next_page_token")
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    next_page_token: str
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateSubscriptionRequest(_message.Message):
    __slots__ = ("subscription", "update_mask", "accept")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    update_mask: _field_mask_pb2.FieldMask
    accept: _containers.RepeatedCompositeFieldContainer[ProductVersion]
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., accept: _Optional[_Iterable[_Union[ProductVersion, _Mapping]]] = ...) -> None: ...

class UpdateSubscriptionResponse(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class DeleteSubscriptionRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteSubscriptionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListOffersRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "publisher", "state")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    publisher: str
    state: OfferState
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., publisher: _Optional[str] = ..., state: _Optional[_Union[OfferState, str]] = ...) -> None: ...

class ListOffersResponse(_message.Message):
    __slots__ = ("offers", "next_page_token")
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[Offer]
    next_page_token: str
    def __init__(self, offers: _Optional[_Iterable[_Union[Offer, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApplySubscriptionsRequest(_message.Message):
    __slots__ = ("parent", "dry_run", "subscriptions", "update_masks")
    class UpdateMasksEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _field_mask_pb2.FieldMask
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASKS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    dry_run: bool
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    update_masks: _containers.MessageMap[str, _field_mask_pb2.FieldMask]
    def __init__(self, parent: _Optional[str] = ..., dry_run: _Optional[bool] = ..., subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ..., update_masks: _Optional[_Mapping[str, _field_mask_pb2.FieldMask]] = ...) -> None: ...

class ApplySubscriptionsResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Change]
    def __init__(self, changes: _Optional[_Iterable[_Union[_resources_pb2.Change, _Mapping]]] = ...) -> None: ...

class GetAcceptedProductRequest(_message.Message):
    __slots__ = ("domain", "product")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    domain: str
    product: str
    def __init__(self, domain: _Optional[str] = ..., product: _Optional[str] = ...) -> None: ...

class GetAcceptedProductResponse(_message.Message):
    __slots__ = ("accepted_product",)
    ACCEPTED_PRODUCT_FIELD_NUMBER: _ClassVar[int]
    accepted_product: AcceptedProduct
    def __init__(self, accepted_product: _Optional[_Union[AcceptedProduct, _Mapping]] = ...) -> None: ...

class PutRouteOffersRequest(_message.Message):
    __slots__ = ("routes", "after", "through")
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    THROUGH_FIELD_NUMBER: _ClassVar[int]
    routes: _containers.RepeatedCompositeFieldContainer[_router_pb2.Route]
    after: str
    through: str
    def __init__(self, routes: _Optional[_Iterable[_Union[_router_pb2.Route, _Mapping]]] = ..., after: _Optional[str] = ..., through: _Optional[str] = ...) -> None: ...

class PutRouteOffersResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
