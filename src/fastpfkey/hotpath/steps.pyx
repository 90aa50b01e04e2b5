# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""What to do: the steps of a shape, and for each column the simplest loop that serves all shapes known.

Two columns whose fields keep one distance from each other in all shapes share a slot. Columns of 4- and 8-byte numbers
that lie at one offset in all shapes go into tiles.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from .load cimport load_number
from .shapes cimport Extent, Family, Frame, Shape, find_family

cdef enum:
    BEFORE4 = 12  # bytes of a v4-mapped address before the IPv4 address


cdef void make_steps(Job* job, int32_t index, const uint8_t* message) noexcept nogil:
    """Turn the plan into steps for a new shape, of which `message` is one. The last row that applies counts."""
    cdef const Shape* shape = job.cache.shapes + index
    cdef Step* steps = job.steps + <size_t> index * job.plan.columns
    cdef const ColumnRow* row
    cdef Extent extent
    cdef int32_t k
    memset(steps, 0, <size_t> job.plan.columns * sizeof(Step))
    for k in range(job.plan.rows_count):
        row = job.plan.rows + k
        if row.satype >= 0 and row.satype != shape.satype:
            continue
        if row.extension < 0:
            extent.offset = 0
            extent.length = shape.length
        elif (shape.numbers >> row.extension) & 1:
            extent = shape.extents[row.extension]
        else:
            continue
        if extent.length >= <uint32_t> row.minimum:
            make_step(job, steps + row.column, row, shape, message, &extent)


cdef void make_step(
    Job* job, Step* step, const ColumnRow* row, const Shape* shape, const uint8_t* message, const Extent* extent
) noexcept nogil:
    """What one row does for a shape whose extension has this place and length."""
    step.action = CONSTANT
    step.value = 0
    step.at = extent.offset + row.source
    step.width = row.width
    step.swap = row.swap
    step.shift = row.shift
    if row.op == COPY:
        step.action = BYTES16 if row.width == 16 else NUMBER
    elif row.op == MAP:
        step.action = LOOKUP
        step.lookup = job.plan.lookups + 256 * row.lookup
    elif row.op == TAIL_OFFSET:
        step.action = PLACE
        step.value = step.at
    elif row.op == TAIL_LENGTH:
        step.value = extent.length - <uint32_t> row.source
    elif row.op == MESSAGE_OFFSET:
        step.action = PLACE
    elif row.op == MESSAGE_LENGTH:
        step.value = shape.length
    elif row.op == PRESENT:
        step.value = shape.present
    elif row.op == OTHERS:
        step.value = shape.others
    else:
        make_sockaddr_step(job, step, row, message)


cdef void make_sockaddr_step(Job* job, Step* step, const ColumnRow* row, const uint8_t* message) noexcept nogil:
    """A part of the sockaddr at step.at, whose family is the same in all messages of the shape."""
    cdef const Frame* frame = &job.plan.frame
    cdef uint64_t number = load_number(message + step.at + frame.family_offset, frame.family_width, frame.swap)
    cdef const Family* family = find_family(frame, number)
    if row.op == FAMILY:
        if family != NULL:
            step.value = family.version
        elif number:
            step.value = UNKNOWN + min(number, <uint64_t> UNKNOWN - 1)
        return
    if family == NULL or (row.op == SCOPE and family.scope < 0):
        return
    if row.op == IP:
        step.at += family.address
        step.action = MAPPED4 if family.version == 4 else BYTES16
    elif row.op == PREFIX:
        step.at += family.address
        step.width = 4 if family.version == 4 else 16
        step.action = ONES
    else:
        step.at += family.port if row.op == PORT else family.scope
        step.action = NUMBER


cdef void sort_out_columns(Job* job) noexcept nogil:
    """Find for each column the simplest kind of loop that serves all shapes known by now."""
    cdef int32_t c, k
    for k in range(job.cache.count):
        job.slots[k] = 0
    job.slots_count = 1
    job.tiles_count = 0
    for c in range(job.plan.columns):
        sort_out_column(job, job.columns + c, c)
        if job.columns[c].kind == TILED:
            join_tile(job, job.columns + c)
    for c in range(job.plan.columns):
        note_shapes(job, job.columns + c, c)
    note_places(job)
    job.shapes_changed = False


cdef void note_shapes(Job* job, const Column* column, int32_t c) noexcept nogil:
    """Note what the loop of a column needs to know of each shape."""
    cdef uint64_t* values = values_of(job, c)
    cdef Origin* origins = origins_of(job, c)
    cdef int32_t k
    if column.kind == CONSTANTS:
        for k in range(job.cache.count):
            values[k] = step_of(job, k, c).value
    elif column.kind == TABLES:
        for k in range(job.cache.count):
            values[k] = <uint64_t> (step_of(job, k, c).lookup - job.plan.lookups)
    elif column.kind == ADDRESSES:
        for k in range(job.cache.count):
            origins[k] = origin_of(step_of(job, k, c))


cdef bint is_address(const Step* step) noexcept nogil:
    """Whether a step writes what an origin can say: an address with room for a whole window, or none."""
    return (
        step.action == BYTES16
        or (step.action == MAPPED4 and step.at >= BEFORE4)
        or (step.action == CONSTANT and step.value == 0)
    )


cdef Origin origin_of(const Step* step) noexcept nogil:
    """Where an address comes from; an absent one is zeros."""
    cdef Origin origin
    memset(&origin, 0, sizeof(Origin))
    if step.action == BYTES16:
        origin.at = step.at
        memset(origin.mask, 0xFF, 16)
    elif step.action == MAPPED4:
        origin.at = step.at - BEFORE4
        memset(origin.mask + BEFORE4, 0xFF, 4)
        memset(origin.extra + 10, 0xFF, 2)
    return origin


cdef void note_places(Job* job) noexcept nogil:
    """Note how the places of all slots follow from a message of each shape; those that make up a four are absent."""
    cdef int32_t fours = (job.slots_count - 1 + PFKEY_SLOTS_AT_ONCE - 1) // PFKEY_SLOTS_AT_ONCE
    cdef int32_t s, k, at
    cdef Four* four
    for s in range(fours * PFKEY_SLOTS_AT_ONCE):
        for k in range(job.cache.count):
            at = job.slots[(s + 1) * job.cache.capacity + k] if s + 1 < job.slots_count else ABSENT
            four = job.fours + s // PFKEY_SLOTS_AT_ONCE * job.cache.capacity + k
            four.mask[s % PFKEY_SLOTS_AT_ONCE] = 0 if at == ABSENT else ~<size_t> 0
            four.offset[s % PFKEY_SLOTS_AT_ONCE] = (
                <size_t> (job.zeros + REACH) if at == ABSENT else <size_t> at
            )


cdef void sort_out_column(Job* job, Column* column, int32_t c) noexcept nogil:
    """Find the kind of one column."""
    cdef int32_t k
    cdef int32_t absent = 0  # shapes in which the value is 0 for want of a field
    cdef int32_t constant = 0
    cdef bint uniform = True
    cdef bint alike = True
    cdef bint addresses = True
    cdef bint tables = True
    cdef const Step* field = NULL
    cdef const Step* step
    for k in range(job.cache.count):
        step = step_of(job, k, c)
        uniform = uniform and step.action == CONSTANT and step.value == step_of(job, 0, c).value
        addresses = addresses and is_address(step)
        tables = tables and step.action == LOOKUP and step.width == 1 and step.at == step_of(job, 0, c).at
        if step.action == CONSTANT:
            constant += 1
            absent += step.value == 0
        elif field == NULL:
            field = step
        else:
            alike = alike and same_field(step, field)
    column.step = field if field != NULL else step_of(job, 0, c)
    column.slot = 0
    if uniform:
        column.kind = UNIFORM
    elif field == NULL:
        column.kind = CONSTANTS
    elif addresses:
        column.kind = ADDRESSES
    elif tables and not alike:
        column.kind = TABLES
        column.distance = field.at
    elif not alike or constant != absent:
        column.kind = MIXED
    elif field.action == PLACE and not absent and field.value == 0:
        column.kind = LOCATED
    elif field.action == NUMBER or (
        field.action == LOOKUP and field.width == 1 and (not absent or field.lookup[0] == 0)
    ):
        column.kind = NUMBERS if field.action == NUMBER else LOOKUPS
        find_slot(job, column, c)
        if fits_tile(job, column):
            column.kind = TILED
    else:
        column.kind = MIXED


cdef bint fits_tile(const Job* job, const Column* column) noexcept nogil:
    """Whether a column of numbers has them at one offset in all shapes, as wide as the column and inside a window."""
    cdef const Step* step = column.step
    cdef int32_t k
    if not PFKEY_TILES or column.kind != NUMBERS or column.slot or column.width < 4:
        return False
    if step.width != column.width or step.shift:
        return False
    for k in range(job.cache.count):
        if job.cache.shapes[k].length < <uint32_t> (step.at + PFKEY_WINDOW):
            return False
    return True


cdef void join_tile(Job* job, Column* column) noexcept nogil:
    """Put a column into the tile whose window has its number, or into one of its own."""
    cdef Tile* tile = job.tiles
    cdef int32_t distance
    cdef int32_t k
    for k in range(job.tiles_count):
        tile = job.tiles + k
        distance = column.step.at - tile.at
        if tile.width == column.width and 0 <= distance < PFKEY_WINDOW and distance % tile.width == 0:
            if tile.columns[distance // tile.width] == NULL:
                tile.columns[distance // tile.width] = column
                return
    tile = job.tiles + job.tiles_count
    job.tiles_count += 1
    memset(tile, 0, sizeof(Tile))
    tile.width = column.width
    tile.at = column.step.at
    tile.columns[0] = column


cdef bint same_field(const Step* a, const Step* b) noexcept nogil:
    """Whether two steps do the same at places that may differ."""
    return (
        a.action == b.action
        and a.width == b.width
        and a.swap == b.swap
        and a.shift == b.shift
        and a.lookup == b.lookup
    )


cdef void find_slot(Job* job, Column* column, int32_t c) noexcept nogil:
    """Find a slot that keeps one distance from the column's field in all shapes, or make one for it."""
    cdef int32_t capacity = job.cache.capacity
    cdef int32_t* slot
    cdef int32_t s, k
    for s in range(job.slots_count):
        if keeps_distance(job, job.slots + <size_t> s * capacity, c, &column.distance):
            column.slot = s
            return
    slot = job.slots + <size_t> job.slots_count * capacity
    for k in range(job.cache.count):
        slot[k] = step_of(job, k, c).at if step_of(job, k, c).action != CONSTANT else ABSENT
    column.slot = job.slots_count
    column.distance = 0
    job.slots_count += 1


cdef bint keeps_distance(const Job* job, const int32_t* slot, int32_t c, int32_t* distance) noexcept nogil:
    """Whether a slot is there in the same shapes as the field of a column, at one distance from it."""
    cdef bint known = False
    cdef bint absent = False
    cdef const Step* step
    cdef int32_t k
    for k in range(job.cache.count):
        step = step_of(job, k, c)
        if (step.action == CONSTANT) != (slot[k] == ABSENT):
            return False
        if step.action == CONSTANT:
            absent = True
        elif not known:
            distance[0] = step.at - slot[k]
            known = True
        elif step.at - slot[k] != distance[0]:
            return False
    return not absent or -REACH <= distance[0] <= REACH - 16
