import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.policy.v1 import audit_pb2 as _audit_pb2
from llm_mesh.policy.v1 import errors_pb2 as _errors_pb2
from llm_mesh.policy.v1 import floors_pb2 as _floors_pb2
from llm_mesh.policy.v1 import identity_pb2 as _identity_pb2
from llm_mesh.policy.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BindingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BINDING_STATE_UNSPECIFIED: _ClassVar[BindingState]
    BINDING_STATE_ACTIVE: _ClassVar[BindingState]
    BINDING_STATE_PENDING: _ClassVar[BindingState]
BINDING_STATE_UNSPECIFIED: BindingState
BINDING_STATE_ACTIVE: BindingState
BINDING_STATE_PENDING: BindingState

class Role(_message.Message):
    __slots__ = ("name", "description", "permissions", "built_in")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    BUILT_IN_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    permissions: _containers.RepeatedCompositeFieldContainer[Permission]
    built_in: bool
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., permissions: _Optional[_Iterable[_Union[Permission, _Mapping]]] = ..., built_in: _Optional[bool] = ...) -> None: ...

class Permission(_message.Message):
    __slots__ = ("actions", "resources")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedScalarFieldContainer[str]
    resources: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, actions: _Optional[_Iterable[str]] = ..., resources: _Optional[_Iterable[str]] = ...) -> None: ...

class Binding(_message.Message):
    __slots__ = ("name", "principal", "role", "scope", "state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    principal: str
    role: str
    scope: str
    state: BindingState
    def __init__(self, name: _Optional[str] = ..., principal: _Optional[str] = ..., role: _Optional[str] = ..., scope: _Optional[str] = ..., state: _Optional[_Union[BindingState, str]] = ...) -> None: ...

class PutRoleRequest(_message.Message):
    __slots__ = ("role",)
    ROLE_FIELD_NUMBER: _ClassVar[int]
    role: Role
    def __init__(self, role: _Optional[_Union[Role, _Mapping]] = ...) -> None: ...

class PutRoleResponse(_message.Message):
    __slots__ = ("role", "revision")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    role: Role
    revision: int
    def __init__(self, role: _Optional[_Union[Role, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListRolesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRolesResponse(_message.Message):
    __slots__ = ("roles", "next_page_token")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedCompositeFieldContainer[Role]
    next_page_token: str
    def __init__(self, roles: _Optional[_Iterable[_Union[Role, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteRoleRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteRoleResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class CreateBindingRequest(_message.Message):
    __slots__ = ("parent", "binding_id", "binding")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    BINDING_ID_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    parent: str
    binding_id: str
    binding: Binding
    def __init__(self, parent: _Optional[str] = ..., binding_id: _Optional[str] = ..., binding: _Optional[_Union[Binding, _Mapping]] = ...) -> None: ...

class CreateBindingResponse(_message.Message):
    __slots__ = ("binding", "revision")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    binding: Binding
    revision: int
    def __init__(self, binding: _Optional[_Union[Binding, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class AcceptBindingRequest(_message.Message):
    __slots__ = ("name", "principal")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    principal: str
    def __init__(self, name: _Optional[str] = ..., principal: _Optional[str] = ...) -> None: ...

class AcceptBindingResponse(_message.Message):
    __slots__ = ("binding", "revision")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    binding: Binding
    revision: int
    def __init__(self, binding: _Optional[_Union[Binding, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class RejectBindingRequest(_message.Message):
    __slots__ = ("name", "principal")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    principal: str
    def __init__(self, name: _Optional[str] = ..., principal: _Optional[str] = ...) -> None: ...

class RejectBindingResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class PutFloorRequest(_message.Message):
    __slots__ = ("floor",)
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    floor: _floors_pb2.Floor
    def __init__(self, floor: _Optional[_Union[_floors_pb2.Floor, _Mapping]] = ...) -> None: ...

class PutFloorResponse(_message.Message):
    __slots__ = ("floor", "revision")
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    floor: _floors_pb2.Floor
    revision: int
    def __init__(self, floor: _Optional[_Union[_floors_pb2.Floor, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetFloorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFloorResponse(_message.Message):
    __slots__ = ("floor",)
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    floor: _floors_pb2.Floor
    def __init__(self, floor: _Optional[_Union[_floors_pb2.Floor, _Mapping]] = ...) -> None: ...

class ListFloorsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFloorsResponse(_message.Message):
    __slots__ = ("floors", "next_page_token")
    FLOORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    floors: _containers.RepeatedCompositeFieldContainer[_floors_pb2.Floor]
    next_page_token: str
    def __init__(self, floors: _Optional[_Iterable[_Union[_floors_pb2.Floor, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteFloorRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteFloorResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class ListBindingsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "foreign")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    foreign: bool
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., foreign: _Optional[bool] = ...) -> None: ...

class ListBindingsResponse(_message.Message):
    __slots__ = ("bindings", "next_page_token")
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bindings: _containers.RepeatedCompositeFieldContainer[Binding]
    next_page_token: str
    def __init__(self, bindings: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteBindingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteBindingResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("parent", "principal", "action", "resource", "key")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    parent: str
    principal: str
    action: str
    resource: str
    key: str
    def __init__(self, parent: _Optional[str] = ..., principal: _Optional[str] = ..., action: _Optional[str] = ..., resource: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("allowed", "grounds", "considered", "revision", "obstacles")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    CONSIDERED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OBSTACLES_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    grounds: _containers.RepeatedCompositeFieldContainer[Grounds]
    considered: _containers.RepeatedCompositeFieldContainer[Binding]
    revision: int
    obstacles: _containers.RepeatedCompositeFieldContainer[Obstacle]
    def __init__(self, allowed: _Optional[bool] = ..., grounds: _Optional[_Iterable[_Union[Grounds, _Mapping]]] = ..., considered: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., revision: _Optional[int] = ..., obstacles: _Optional[_Iterable[_Union[Obstacle, _Mapping]]] = ...) -> None: ...

class Obstacle(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: _errors_pb2.ErrorReason
    detail: str
    def __init__(self, reason: _Optional[_Union[_errors_pb2.ErrorReason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class Grounds(_message.Message):
    __slots__ = ("binding", "permission")
    BINDING_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    binding: Binding
    permission: Permission
    def __init__(self, binding: _Optional[_Union[Binding, _Mapping]] = ..., permission: _Optional[_Union[Permission, _Mapping]] = ...) -> None: ...

class ListAuditRecordsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListAuditRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[AuditRecord]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[AuditRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AuditRecord(_message.Message):
    __slots__ = ("sequence", "time", "domain", "principal", "key", "action", "resource", "allowed", "detail", "request_id", "hash", "writer", "event_id", "source", "before_digest", "after_digest", "reason")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    AFTER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _timestamp_pb2.Timestamp
    domain: str
    principal: str
    key: str
    action: str
    resource: str
    allowed: bool
    detail: str
    request_id: str
    hash: bytes
    writer: str
    event_id: str
    source: str
    before_digest: bytes
    after_digest: bytes
    reason: str
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., domain: _Optional[str] = ..., principal: _Optional[str] = ..., key: _Optional[str] = ..., action: _Optional[str] = ..., resource: _Optional[str] = ..., allowed: _Optional[bool] = ..., detail: _Optional[str] = ..., request_id: _Optional[str] = ..., hash: _Optional[bytes] = ..., writer: _Optional[str] = ..., event_id: _Optional[str] = ..., source: _Optional[str] = ..., before_digest: _Optional[bytes] = ..., after_digest: _Optional[bytes] = ..., reason: _Optional[str] = ...) -> None: ...

class ExportAuditRecordsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "newest")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    newest: int
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., newest: _Optional[int] = ...) -> None: ...

class ExportAuditRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token", "heads")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[AuditRecord]
    next_page_token: str
    heads: _containers.RepeatedCompositeFieldContainer[_audit_pb2.ChainHead]
    def __init__(self, records: _Optional[_Iterable[_Union[AuditRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., heads: _Optional[_Iterable[_Union[_audit_pb2.ChainHead, _Mapping]]] = ...) -> None: ...

class ApplyPolicyRequest(_message.Message):
    __slots__ = ("parent", "dry_run", "domains", "projects", "principals", "roles", "bindings", "budgets", "limits", "floors", "update_masks")
    class UpdateMasksEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _field_mask_pb2.FieldMask
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    PRINCIPALS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    FLOORS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASKS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    dry_run: bool
    domains: _containers.RepeatedCompositeFieldContainer[_identity_pb2.Domain]
    projects: _containers.RepeatedCompositeFieldContainer[_identity_pb2.Project]
    principals: _containers.RepeatedCompositeFieldContainer[_identity_pb2.Principal]
    roles: _containers.RepeatedCompositeFieldContainer[Role]
    bindings: _containers.RepeatedCompositeFieldContainer[Binding]
    budgets: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Budget]
    limits: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Limit]
    floors: _containers.RepeatedCompositeFieldContainer[_floors_pb2.Floor]
    update_masks: _containers.MessageMap[str, _field_mask_pb2.FieldMask]
    def __init__(self, parent: _Optional[str] = ..., dry_run: _Optional[bool] = ..., domains: _Optional[_Iterable[_Union[_identity_pb2.Domain, _Mapping]]] = ..., projects: _Optional[_Iterable[_Union[_identity_pb2.Project, _Mapping]]] = ..., principals: _Optional[_Iterable[_Union[_identity_pb2.Principal, _Mapping]]] = ..., roles: _Optional[_Iterable[_Union[Role, _Mapping]]] = ..., bindings: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., budgets: _Optional[_Iterable[_Union[_ledger_pb2.Budget, _Mapping]]] = ..., limits: _Optional[_Iterable[_Union[_ledger_pb2.Limit, _Mapping]]] = ..., floors: _Optional[_Iterable[_Union[_floors_pb2.Floor, _Mapping]]] = ..., update_masks: _Optional[_Mapping[str, _field_mask_pb2.FieldMask]] = ...) -> None: ...

class ApplyPolicyResponse(_message.Message):
    __slots__ = ("changes", "revision")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Change]
    revision: int
    def __init__(self, changes: _Optional[_Iterable[_Union[_resources_pb2.Change, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...
