"""Expressions by hand, all evaluated with VARS."""

VARS = {
    "n": 7, "m": -3, "f": 2.5, "s": "hello", "e": "", "t": True, "u": "h\u00e9llo \u4e16\u754c",
    "l": [3, 1, 2], "ls": ["b", "a", "c"], "lm": [{"name": "x", "v": 1}, {"name": "y", "v": 2}],
    "o": {"a": 1, "b": {"c": "d", "z": None}, "list": [1, "two", 3.0, None, True]},
    "z": None, "empty": {}, "nolist": [],
}

ARITHMETIC = """
1 + 2
1 - 2
7 / 2
-7 / 2
7 % 3
-7 % 3
n * m
1u + 2u
1u - 2u
2u * 3u
7u / 2u
7u % 0u
1 / 0
1 % 0
1u / 0u
1.0 / 0.0
-1.0 / 0.0
0.0 / 0.0
9223372036854775807 + 1
-9223372036854775808 - 1
-9223372036854775808
9223372036854775807 * 2
-9223372036854775808 / -1
-9223372036854775808 % -1
-(-9223372036854775808)
18446744073709551615u + 1u
18446744073709551616u
9223372036854775808
0xff
0xFFu
-0x10
1e3
1.5e-7
.5
1 + 2.0
dyn(1) + dyn(2.0)
dyn(1) + dyn('a')
1 + 'a'
'a' + 'b'
b'a' + b'b'
[1] + [2]
[1] + ['a']
[] + [1]
-f
-'a'
- 1
--1
!!true
!n
-t
1 - -1
2 * 3 + 4
2 + 3 * 4
(2 + 3) * 4
10 - 3 - 2
100 / 10 / 2
1.0 + 0.1
0.1 + 0.2
f * 2.0
f + 1.0
n + 1
n + 1.0
1 % 2.0
"""

COMPARE = """
1 == 1
1 == 1.0
1 == 1u
dyn(1) == dyn(1u)
dyn(1) == dyn(1.0)
dyn(1u) == dyn(1.0)
dyn(1) == dyn('1')
1 != 2
1 < 2
1 < 2u
1 < 1.5
1u < 1.5
2.5 > 2
-1 < 0u
dyn(-1) < dyn(0u)
9223372036854775807 < 9223372036854775808.0
dyn(9223372036854775807) < dyn(9223372036854775808.0)
dyn(9007199254740993) == dyn(9007199254740992.0)
18446744073709551615u > 1.0e30
'a' < 'b'
'a' < 'B'
b'a' < b'b'
true > false
'a' < 1
dyn('a') < dyn(1)
[1] < [2]
dyn([1]) < dyn([2])
null == null
z == null
n == null
dyn(null) < dyn(1)
[1, 2] == [1, 2]
[1, 2] == [2, 1]
[1, 2] == [1.0, 2.0]
dyn([1, 2]) == dyn([1.0, 2u])
{'a': 1} == {'a': 1}
{'a': 1} == {'a': 1.0}
{'a': 1} == {'b': 1}
dyn({'a': 1}) == dyn({'a': 1.0})
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
0.0 / 0.0 == 0.0 / 0.0
0.0 / 0.0 < 1.0
dyn(0.0 / 0.0) < dyn(1)
1.0 / 0.0 > 1.0
type(1) == int
type(1u) == uint
type('a') == string
type([]) == list
type({}) == map
type(null) == null_type
type(1) == type(2)
type(int) == type
type(type(1)) == type
type(timestamp(0)) == google.protobuf.Timestamp
type(duration('1s')) == google.protobuf.Duration
type(1.0)
type(b'')
type(true)
type(z)
type(o)
type(l)
type(optional.none())
type(int)
1 in [1, 2]
1 in l
1.0 in [1, 2]
dyn(1.0) in [1, 2]
'a' in ls
'a' in {'a': 1}
1 in {'a': 1}
dyn(1) in {'a': 1}
'a' in o
n in o
1 in 5
1 in n
'x' in s
null in [null]
z in o.list
2.0 in {1: 'a', 2: 'b'}
dyn(2.0) in {1: 'a', 2: 'b'}
"""

LOGIC = """
true && false
true || false
true && 1
t && n
n && t
false && n
false && (1 / 0 > 0)
(1 / 0 > 0) && false
true || (1 / 0 > 0)
(1 / 0 > 0) || true
(1 / 0 > 0) || false
true && (1 / 0 > 0)
o.nope || true
true || o.nope
o.nope || false
o.nope && false
o.nope && true
false && o.nope && 1/0 > 0
o.nope && 1/0 > 0 && t
s || false
s || true
s && false
dyn(1) && dyn(2)
t ? 1 : 2
t ? 1 : 'a'
n ? 1 : 2
true ? 1 : 1 / 0
false ? 1 : 1 / 0
1 / 0 > 0 ? 1 : 2
dyn(1) ? 1 : 2
true ? false ? 1 : 2 : 3
!(n > 3) || m < 0
"""

ACCESS = """
o.a
o.b.c
o['a']
o.b['c']
o.nope
o.b.nope
o.nope.more
o.a.more
o.b.z
o.b.z.more
s.more
n.more
l.more
z.more
1.more
'a'.more
[1].more
l[0]
l[2]
l[3]
l[-1]
l[1.0]
l[1.5]
l[1u]
l['a']
l[s]
[1, 2, 3][1]
[1, 2, 3][3]
[1, 2][dyn(1u)]
[1, 2][dyn('a')]
{'a': 1}.a
{'a': 1}['a']
{'a': 1}.b
{1: 'a'}[1]
{1: 'a'}[1u]
{1: 'a'}[dyn(1u)]
{1: 'a'}[dyn(1.0)]
{1: 'a'}[2]
{true: 1}[true]
{'a': {'b': {'c': 1}}}.a.b.c
{'a': 1}[1]
{'a': 1}[dyn(1)]
{'a': 1, 'a': 2}
{1: 1, 1u: 2}
{dyn(1): 1, dyn(1.0): 2}
{dyn(1.0): 1}
{[1]: 1}
{dyn([1]): 1}
{null: 1}
{dyn(null): 1}
n[0]
z[0]
s[0]
has(o.a)
has(o.nope)
has(o.b.c)
has(o.b.z)
has(o.nope.more)
has(o.a.more)
has(s.more)
has(l.more)
has(z.more)
has(o)
has(o['a'])
has(n)
has({'a': 1}.a)
has({'a': 1}.b)
has(empty.a)
undefined
undefined.a
undefined(1)
s.undefined()
undefined.foo()
o.a()
optional.foo()
self
int
list
google.protobuf.Timestamp
google.protobuf.Nope
.n
.nope
lm[1].name
lm[0]['v']
lm.map(x, x.name)
[o, o][0].a
"""

MACROS = """
[1, 2, 3].all(x, x > 0)
[1, 2, 3].all(x, x > 1)
[].all(x, x > 0)
[1, 2, 0].all(x, 1 / x > 0)
[0, 2, 1].all(x, 1 / x > 1)
[1, 2, 3].exists(x, x == 2)
[].exists(x, true)
[0, 1].exists(x, 1 / x == 1)
[0].exists(x, 1 / x == 1)
[1, 2, 2].exists_one(x, x == 2)
[1, 2, 3].exists_one(x, x == 2)
[1, 2, 3].existsOne(x, x == 2)
[0, 1].exists_one(x, 1 / x == 1)
[1, 2, 3].map(x, x * 2)
[1, 2, 3].map(x, x > 1, x * 2)
[1, 2, 3].map(x, [x, x])
[1, 2, 3].filter(x, x > 1)
[[1, 2], [3]].map(x, x.map(y, y + 1))
[1, 2].map(x, [3, 4].map(y, x * y))
{'a': 1, 'b': 2}.all(k, k < 'c')
{'a': 1, 'b': 2}.exists(k, k == 'b')
{'a': 1}.map(k, k + '!')
{'a': 1, 'b': 2}.filter(k, k == 'a')
o.all(k, k != 'x')
l.all(x, x > 0)
l.map(x, x + 1)
l.filter(x, x % 2 == 1)
ls.exists(x, x.startsWith('a'))
lm.exists(x, x.name == 'y' && x.v == 2)
lm.all(x, has(x.name))
lm.filter(x, x.nope == 1)
n.all(x, true)
s.map(x, x)
z.exists(x, true)
1.all(x, true)
'abc'.map(x, x)
[1].all(x.y, true)
[1].all(1, true)
[1].map('a', 1)
[1].all(x, 1)
[1].filter(x, 'a')
[1].exists(x, x)
l.exists(x, x)
[1].map(x, y)
[1].map(__result__, 1)
[1, 2, 3].all(i, v, i < v)
[1, 2, 3].exists(i, v, i == v)
[1, 2, 3].exists_one(i, v, v == i + 1)
[1, 2, 3].existsOne(i, v, i == 1)
[1, 2, 3].transformList(i, v, i * v)
[1, 2, 3].transformList(i, v, i > 0, i * v)
[1, 2, 3].transformMap(i, v, v * 2)
[1, 2, 3].transformMap(i, v, i > 1, v * 2)
{'a': 1, 'b': 2}.transformMap(k, v, v + 1)
{'a': 1, 'b': 2}.transformList(k, v, v > 1, k)
{'a': 'x', 'b': 'y'}.transformMapEntry(k, v, {v: k})
{'a': 'x', 'b': 'x'}.transformMapEntry(k, v, {v: k})
{'a': 1}.transformMapEntry(k, v, v > 1, {k: v})
[1].transformList(i, i, 1)
[1].transformList(1, v, 1)
{'a': 1, 'b': 2}.all(k, v, v > 0)
[1, 2, 3].map(x, x, x)
[3, 1, 2].sortBy(x, -x)
lm.sortBy(x, x.name).map(x, x.v)
lm.sortBy(x, -x.v).map(x, x.name)
[1].sortBy(1, 1)
{'a': 1}.sortBy(x, x)
has(o.a) && o.a == 1
[1, 2].exists(x, x > 1) ? 'y' : 'n'
cel.bind(x, 1, x + 1)
"""

STRINGS = """
'abc'.size()
size('abc')
u.size()
size(u)
size(b'abc')
size([1, 2])
size({'a': 1})
size(1)
size(n)
size(z)
n.size()
'abc'.contains('b')
'abc'.contains('')
'abc'.startsWith('ab')
'abc'.endsWith('bc')
'abc'.startsWith(1)
s.startsWith(n)
n.startsWith('a')
'abc'.charAt(0)
'abc'.charAt(3)
'abc'.charAt(4)
'abc'.charAt(-1)
u.charAt(1)
u.charAt(7)
'abcabc'.indexOf('b')
'abcabc'.indexOf('b', 2)
'abcabc'.indexOf('x')
'abcabc'.indexOf('')
'abcabc'.indexOf('', 3)
'abcabc'.indexOf('a', -1)
'abcabc'.indexOf('a', 10)
u.indexOf('l')
u.indexOf('\u754c')
'abcabc'.lastIndexOf('b')
'abcabc'.lastIndexOf('b', 3)
'abcabc'.lastIndexOf('')
'abcabc'.lastIndexOf('', 2)
'abcabc'.lastIndexOf('a', -1)
'abcabc'.lastIndexOf('a', 10)
''.lastIndexOf('a')
'ab'.lastIndexOf('abc')
'aBc'.lowerAscii()
'aBc'.upperAscii()
'\u00c9A'.lowerAscii()
'hello'.replace('l', 'L')
'hello'.replace('l', 'L', 1)
'hello'.replace('l', 'L', 0)
'hello'.replace('l', 'L', -1)
'hello'.replace('', '-')
'hello'.replace('', '-', 2)
''.replace('', '-')
'h\u00e9'.replace('', '-')
'a,b,c'.split(',')
'a,b,c'.split(',', 2)
'a,b,c'.split(',', 0)
'a,b,c'.split(',', 1)
'a,b,c'.split(',', -1)
'abc'.split('')
'h\u00e9l'.split('')
''.split(',')
''.split('')
'abc'.split('', 2)
'abc'.substring(1)
'abc'.substring(1, 2)
'abc'.substring(3)
'abc'.substring(4)
'abc'.substring(-1)
'abc'.substring(2, 1)
'abc'.substring(1, 4)
u.substring(1, 3)
'  a b\\t\\n'.trim()
'\\u00a0a\\u3000'.trim()
'\\u2003\\u2003'.trim()
['a', 'b'].join()
['a', 'b'].join('-')
[].join('-')
[1].join('-')
l.join('-')
ls.join(',')
o.list.join(',')
strings.quote('a"b\\n\\\\')
strings.quote('\\x01\\u00e9')
'abc'.reverse()
u.reverse()
[1, 2].reverse()
'abc'.matches('a.c')
'abc'.matches('b')
'abc'.matches('^b')
matches('abc', 'a')
'abc'.matches('(')
'abc'.matches(s + '(')
s.matches('h.*o')
'abc 123'.find('[0-9]+')
'abc'.find('[0-9]+')
'12 ab 34'.findAll('[0-9]+')
'12 ab 34'.findAll('[0-9]+', 1)
'12 ab 34'.findAll('[0-9]*')
'12 ab 34'.findAll('[0-9]+', 0)
'abc'.findAll('x')
'abc'.find('(')
'\\x41\\u0042\\103'
'\\n\\t\\r\\\\'
"a'b"
'a"b'
'''a'b'''
'''a
b'''
r'a\\nb'
R"a\\n"
b'\\xff\\101'
b'\\u0041'
rb'a'
br'a\\n'
'\\ud800'
'\\U00110000'
'\\400'
'\\q'
'a
"a
'a' 'b'
'\\`\\?\\a\\b\\f\\v'
''''''
\"\"\"a"b\"\"\"
"""

FORMAT = """
'%s'.format(['a'])
'%s %s'.format(['a', 1])
'%d'.format([1])
'%d'.format([1u])
'%d'.format([1.5])
'%d'.format(['a'])
'%f'.format([1.5])
'%.2f'.format([1.555])
'%.0f'.format([2.5])
'%f'.format([1])
'%f'.format(['NaN'])
'%e'.format([1052.032911275])
'%.3e'.format([0.00012])
'%.2e'.format([-123456.0])
'%b'.format([5])
'%b'.format([-5])
'%b'.format([true])
'%b'.format(['a'])
'%x'.format([255])
'%X'.format([255])
'%x'.format(['hi'])
'%X'.format([b'hi'])
'%x'.format([-255])
'%x'.format([1.5])
'%o'.format([8])
'%o'.format(['a'])
'%s'.format([1.5])
'%s'.format([1.0])
'%s'.format([1e30])
'%s'.format([true])
'%s'.format([null])
'%s'.format([b'abc'])
'%s'.format([[1, 2]])
'%s'.format([['a', 'b']])
'%s'.format([[1.5]])
'%s'.format([{'a': 1, 'b': 2}])
'%s'.format([{'b': 'x', 'a': 'y'}])
'%s'.format([{1: 'a'}])
'%s'.format([{true: 1.5}])
'%s'.format([timestamp('2023-01-01T00:00:00Z')])
'%s'.format([duration('1h1s')])
'%s'.format([[duration('1h1s')]])
'%s'.format([[timestamp('2023-01-01T00:00:00Z')]])
'%s'.format([type(1)])
'%s'.format([int])
'%%'.format([])
'100%%'.format([])
'%'.format([])
'%s'.format([])
'%q'.format(['a'])
'%.f'.format([1.0])
'%.2'.format([1.0])
'a'.format(['b'])
'%s'.format([o.list])
'%s'.format([o])
'%s'.format(l)
'%d %s'.format([n, s])
'%d'.format([dyn('a')])
'%s'.format([optional.of(1)])
'%s'.format('a')
s.format([1])
'%s'.format([[null, [1, [2]]]])
'%s'.format([['a"b']])
"""

CONVERT = """
int('42')
int('-42')
int('+42')
int(' 42')
int('4.2')
int('')
int('0x10')
int('9223372036854775808')
int(1.9)
int(-1.9)
int(1e30)
int(9223372036854775807.0)
int(-9223372036854775808.0)
int(42u)
int(18446744073709551615u)
int(true)
int(timestamp('2023-01-01T00:00:01.5Z'))
int(duration('1.5s'))
int(null)
int(z)
uint('42')
uint('-1')
uint('+1')
uint(-1)
uint(1.9)
uint(-0.5)
uint(1e30)
uint(1)
double('1.5')
double('1e3')
double('abc')
double('NaN')
double('Infinity')
double('-inf')
double('1_000')
double('0x1p4')
double(' 1')
double(1)
double(1u)
double('1e400')
string(1)
string(-1)
string(1u)
string(1.5)
string(1.0)
string(100000000.0)
string(1e20)
string(1e21)
string(1e22)
string(1.5e-5)
string(0.0001)
string(0.00001)
string(1.0 / 3.0)
string(-0.0)
string(1.0 / 0.0)
string(0.0 / 0.0)
string(true)
string('a')
string(b'abc')
string(b'\\xff')
string(null)
string(z)
string([1])
string(l)
string(timestamp('2023-01-01T00:00:00Z'))
string(timestamp('2023-01-01T00:00:00.123456789Z'))
string(timestamp('2023-01-01T00:00:00.100Z'))
string(timestamp('2023-01-01T00:00:00+02:00'))
string(duration('1h30m'))
string(duration('1.5s'))
string(duration('-1.5s'))
string(duration('1ns'))
string(type(1))
string(int)
bool('true')
bool('True')
bool('TRUE')
bool('t')
bool('1')
bool('yes')
bool(1)
bool(true)
bytes('abc')
bytes(b'abc')
bytes(1)
dyn(1)
type(dyn(1))
"""

TIME = """
timestamp('2023-01-02T03:04:05Z')
timestamp('2023-01-02T03:04:05.678Z')
timestamp('2023-01-02T03:04:05,678Z')
timestamp('2023-01-02T03:04:05+05:30')
timestamp('2023-01-02T03:04:05')
timestamp('2023-01-02 03:04:05Z')
timestamp('2023-02-29T00:00:00Z')
timestamp('2024-02-29T00:00:00Z')
timestamp('2023-13-01T00:00:00Z')
timestamp('2023-01-01T24:00:00Z')
timestamp('2023-01-01T23:59:60Z')
timestamp('0001-01-01T00:00:00Z')
timestamp('9999-12-31T23:59:59Z')
timestamp('0000-01-01T00:00:00Z')
timestamp('10000-01-01T00:00:00Z')
timestamp('2023-1-1T00:00:00Z')
timestamp(s)
timestamp('x' + s)
timestamp(0)
timestamp(1700000000)
timestamp(-62135596800)
timestamp(-62135596801)
timestamp(253402300799)
timestamp(253402300800)
timestamp(timestamp(0))
timestamp('2023-01-01T00:00:00Z') + duration('1h')
duration('1h') + timestamp('2023-01-01T00:00:00Z')
timestamp('2023-01-01T00:00:00Z') - duration('1h')
timestamp('2023-01-01T00:00:00Z') - timestamp('2022-01-01T00:00:00Z')
timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')
timestamp('9999-12-31T23:59:59Z') + duration('1s')
timestamp('0001-01-01T00:00:00Z') - duration('1ns')
timestamp('2023-01-01T00:00:00Z') < timestamp('2023-01-01T00:00:00.000000001Z')
timestamp('2023-01-01T00:00:00Z') == timestamp('2023-01-01T01:00:00+01:00')
duration('1h') == duration('60m')
duration('1h') > duration('59m')
duration('1h') + duration('1m')
duration('1h') - duration('2h')
-duration('1h')
duration('1h') * 2
duration('1h1m1s1ms1us1ns')
duration('1.5h')
duration('-1h')
duration('+1h')
duration('1')
duration('0')
duration('')
duration('1d')
duration('1h ')
duration('.5s')
duration('1.s')
duration('.s')
duration('2562047h')
duration('2562048h')
duration('9223372036854775807ns')
duration('9223372036854775808ns')
duration('-9223372036854775808ns')
duration(s)
duration(5)
duration('1h').getHours()
duration('3723.5s').getHours()
duration('3723.5s').getMinutes()
duration('3723.5s').getSeconds()
duration('3723.5s').getMilliseconds()
duration('-3723.5s').getSeconds()
duration('1h').getFullYear()
timestamp('2023-07-14T10:30:45.123Z').getFullYear()
timestamp('2023-07-14T10:30:45.123Z').getMonth()
timestamp('2023-07-14T10:30:45.123Z').getDate()
timestamp('2023-07-14T10:30:45.123Z').getDayOfMonth()
timestamp('2023-07-14T10:30:45.123Z').getDayOfWeek()
timestamp('2023-07-14T10:30:45.123Z').getDayOfYear()
timestamp('2023-07-14T10:30:45.123Z').getHours()
timestamp('2023-07-14T10:30:45.123Z').getMinutes()
timestamp('2023-07-14T10:30:45.123Z').getSeconds()
timestamp('2023-07-14T10:30:45.123Z').getMilliseconds()
timestamp('2023-07-14T22:30:45.123Z').getHours('+05:30')
timestamp('2023-07-14T22:30:45.123Z').getHours('05:30')
timestamp('2023-07-14T22:30:45.123Z').getDate('-08:00')
timestamp('2023-07-14T22:30:45.123Z').getDate('+02:00')
timestamp('2023-07-14T22:30:45.123Z').getHours('-02:30')
timestamp('2023-07-14T22:30:45.123Z').getHours('America/Los_Angeles')
timestamp('2023-01-14T22:30:45.123Z').getHours('America/Los_Angeles')
timestamp('2023-07-14T22:30:45.123Z').getHours('Europe/Berlin')
timestamp('1900-07-14T22:30:45Z').getMinutes('Europe/Berlin')
timestamp('2023-07-14T22:30:45.123Z').getHours('UTC')
timestamp('2023-07-14T22:30:45.123Z').getHours('')
timestamp('2023-07-14T22:30:45.123Z').getHours('Nope/Zone')
timestamp('2023-07-14T22:30:45.123Z').getHours('../../etc/passwd')
timestamp('2023-07-14T22:30:45.123Z').getHours('a:b')
timestamp('2023-07-14T22:30:45.123Z').getHours(1)
timestamp('0001-01-01T00:00:00Z').getDayOfWeek()
timestamp('1969-12-31T23:59:59.5Z').getSeconds()
timestamp('1969-12-31T23:59:59.5Z') - timestamp(0)
int(timestamp('1969-12-31T23:59:59.5Z'))
s.getHours()
"""

OPTIONALS = """
optional.of(1)
optional.none()
optional.of(1).value()
optional.none().value()
optional.of(1).hasValue()
optional.none().hasValue()
optional.ofNonZeroValue(0)
optional.ofNonZeroValue(1)
optional.ofNonZeroValue('')
optional.ofNonZeroValue([])
optional.ofNonZeroValue({})
optional.ofNonZeroValue(null)
optional.ofNonZeroValue(false)
optional.of(1).or(optional.of(2))
optional.none().or(optional.of(2))
optional.none().or(2)
optional.none().orValue(2)
optional.of(1).orValue(2)
optional.of(1).orValue('a')
optional.of(1).orValue(1 / 0)
o.?a
o.?nope
o.?b.c
o.?b.nope
o.?nope.more
o.?nope.?more
o.?a.more
o.?b.?c.orValue('x')
o[?'a']
o[?'nope']
l[?0]
l[?5]
l[?'a']
n.?x
n[?0]
has(o.?b.c)
has(o.?b.nope)
has(o.?nope.more)
o.?a.hasValue()
o.?nope.orValue(5)
o.?a.optMap(x, x + 1)
o.?nope.optMap(x, x + 1)
o.?b.optFlatMap(x, x.?c)
o.?b.optFlatMap(x, x.?nope)
optional.of(1).optMap(1, 1)
[?o.?a, ?o.?nope, 3]
[?1]
[?n]
{?'a': o.?a, ?'b': o.?nope}
{?'a': 1}
optional.of(1) == optional.of(1)
optional.of(1) == optional.none()
optional.none() == optional.none()
optional.of(1) == 1
[1, 2].first()
[1, 2].last()
[].first()
l.first().value()
optional.unwrap([optional.of(1), optional.none()])
[optional.of(1), optional.none()].unwrapOpt()
optional.unwrap(l)
[optional.of(1)].map(x, x.value())
optional.of({'a': 1}).a
optional.of([1])[0]
optional.of({'a': 1}).?a
s.or(optional.of(1))
s.orValue(1)
"""

LISTS = """
[1, 2, 3].isSorted()
[3, 1].isSorted()
['a', 'b'].isSorted()
[].isSorted()
l.isSorted()
[true, false].isSorted()
[1, 2, 3].sum()
[1.5, 2.5].sum()
[1u, 2u].sum()
[duration('1s'), duration('2s')].sum()
['a'].sum()
[].sum()
l.sum()
nolist.sum()
[9223372036854775807, 1].sum()
[3, 1, 2].max()
[3, 1, 2].min()
['b', 'a'].min()
[].max()
nolist.min()
l.max()
[1, 2, 1].indexOf(1)
[1, 2, 1].lastIndexOf(1)
[1, 2, 1].indexOf(5)
l.indexOf(2)
l.indexOf('a')
[1, 1, 2, 3, 3].distinct()
[1, 1.0].distinct()
l.distinct()
[[1], [2, 3]].flatten()
[[1, [2]], [3]].flatten()
[1, [2, [3, [4]]]].flatten(2)
[1, [2]].flatten()
dyn([1, [2]]).flatten()
[[1]].flatten(-1)
[1, 2, 3, 4].slice(1, 3)
[1, 2].slice(-1, 1)
[1, 2].slice(1, 0)
[1, 2].slice(0, 3)
[3, 1, 2].sort()
['b', 'a'].sort()
l.sort()
o.list.sort()
[[1]].sort()
[1, 2].sort()
lists.range(5)
lists.range(0)
lists.range(-1)
[3, 2, 1].reverse()
sets.contains([1, 2, 3], [1, 2])
sets.contains([1], [1, 2])
sets.contains([1], [])
sets.contains([1, 2], [1.0])
sets.equivalent([1, 2], [2, 1, 1])
sets.equivalent([1], [2])
sets.intersects([1, 2], [2, 3])
sets.intersects([1], [])
sets.intersects(l, [1])
sets.contains(1, 2)
[1, 'a']
[1, 1.0]
[1, null]
[null, 1]
[[], [1]]
[{}, {'a': 1}]
{'a': 1, 'b': 'c'}
{'a': 1, 2: 'c'}
[dyn(1), 'a']
[]
{}
[1, 2,]
{'a': 1,}
[,]
"""

KUBERNETES = """
quantity('1')
quantity('1Gi').isInteger()
quantity('500m').isInteger()
quantity('1000m').isInteger()
quantity('1.5').isInteger()
quantity('9999999999999999999').isInteger()
quantity('1Ki').asInteger()
quantity('1.5').asInteger()
quantity('50k').asInteger()
quantity('1.5').asApproximateFloat()
quantity('100m').asApproximateFloat()
quantity('1Gi').isGreaterThan(quantity('1G'))
quantity('1Gi').isLessThan(quantity('1G'))
quantity('1').compareTo(quantity('1000m'))
quantity('1') == quantity('1000m')
quantity('1') == quantity('2')
quantity('1').add(quantity('500m')) == quantity('1500m')
quantity('1').sub(quantity('2')).compareTo(quantity('-1'))
quantity('1').add(5) == quantity('6')
quantity('1').sub(5).asInteger()
sign(quantity('-1'))
sign(quantity('0'))
quantity('')
quantity('abc')
quantity('1Zi')
quantity('1e3').asInteger()
quantity('-500m').compareTo(quantity('0'))
isQuantity('1Gi')
isQuantity('1gi')
isQuantity('1 Gi')
isQuantity(' 1')
isQuantity('.5')
isQuantity('5.')
isQuantity('1E3')
isQuantity('')
type(quantity('1'))
quantity(1)
quantity('1').foo()
ip('192.168.0.1').family()
ip('::1').family()
ip('1.2.3')
ip('1.2.3.04')
ip('1.2.3.256')
ip('::ffff:1.2.3.4')
ip('fe80::1%eth0')
isIP('1.2.3.4')
isIP('01.2.3.4')
isIP('::')
isIP('::g')
isIP('1::2::3')
isIP('::1.2.3.4')
isIP('')
ip.isCanonical('127.0.0.1')
ip.isCanonical('2001:DB8::1')
ip.isCanonical('2001:db8::1')
ip.isCanonical('2001:db8:0:0:0:0:0:1')
ip.isCanonical('2001:db8::1:0:0:1')
ip.isCanonical('::1.2.3.4')
ip.isCanonical('x')
ip('0.0.0.0').isUnspecified()
ip('127.1.2.3').isLoopback()
ip('::1').isLoopback()
ip('224.0.0.1').isLinkLocalMulticast()
ip('ff02::1').isLinkLocalMulticast()
ip('169.254.1.1').isLinkLocalUnicast()
ip('fe80::1').isLinkLocalUnicast()
ip('1.1.1.1').isGlobalUnicast()
ip('255.255.255.255').isGlobalUnicast()
ip('ff00::1').isGlobalUnicast()
ip('10.0.0.1').isGlobalUnicast()
ip('127.0.0.1') == ip('127.0.0.1')
string(ip('2001:db8:0:0:0:0:0:1'))
string(ip('1:0:0:2:0:0:0:3'))
string(ip('1:0:2:3:4:5:6:7'))
string(ip('::1.2.3.4'))
cidr('10.0.0.0/8').containsIP('10.1.2.3')
cidr('10.0.0.0/8').containsIP(ip('11.1.2.3'))
cidr('10.0.0.0/8').containsIP('x')
cidr('10.0.0.0/8').containsIP('::1')
cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')
cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/7'))
cidr('10.0.0.0/8').containsCIDR('10.0.0.0/8')
cidr('10.1.2.3/8').ip() == ip('10.1.2.3')
string(cidr('10.1.2.3/8').masked())
string(cidr('2001:db8::1/33').masked())
cidr('10.1.2.3/8').prefixLength()
cidr('10.1.2.3/8') == cidr('10.0.0.0/8')
cidr('10.0.0.0')
cidr('10.0.0.0/33')
cidr('10.0.0.0/08')
isCIDR('10.0.0.0/8')
isCIDR('::/0')
isCIDR('::ffff:1.2.3.4/100')
isCIDR('10.0.0/8')
type(ip('1.1.1.1'))
type(cidr('1.1.1.1/8'))
url('https://user:pw@example.com:8080/a%20b/c?x=1&y=2&x=3#frag').getScheme()
url('https://user:pw@example.com:8080/a%20b/c?x=1&y=2&x=3#frag').getHost()
url('https://user:pw@example.com:8080/a%20b/c?x=1&y=2&x=3#frag').getHostname()
url('https://user:pw@example.com:8080/a%20b/c?x=1&y=2&x=3#frag').getPort()
url('https://user:pw@example.com:8080/a%20b/c?x=1&y=2&x=3#frag').getEscapedPath()
url('https://user:pw@example.com:8080/a%20b/c?x=1&y=2&x=3#frag').getQuery()
url('https://[::1]:80/').getHostname()
url('https://[::1]:80/').getPort()
url('https://example.com/path with spaces/').getEscapedPath()
url('https://example.com/?key with spaces=a+b%20c&d').getQuery()
url('/just/a/path').getEscapedPath()
url('/just/a/path').getHost()
url('https://example.com').getEscapedPath()
url('HTTPS://example.com').getScheme()
url('../relative')
url('example.com')
url('')
url('https://exa mple.com')
url('https://example.com:port/')
url('https://[::1')
url('mailto:a@b').getScheme()
url('https://a/%zz')
url(':foo')
isURL('https://example.com')
isURL('example.com')
isURL('/path')
isURL('')
url('https://a/') == url('https://a/')
url('https://a/') == url('https://b/')
semver('1.2.3').major()
semver('1.2.3').minor()
semver('1.2.3-rc.1+b').patch()
semver('1.2.3').isGreaterThan(semver('1.2.3-rc.1'))
semver('1.2.3').isLessThan(semver('1.10.0'))
semver('1.2.3').compareTo(semver('1.2.3+build'))
semver('1.2.3') == semver('1.2.3')
semver('1.2')
semver('v1.2.3')
semver('v1.2', true).minor()
semver('01.02.03', true).major()
semver('1', true) == semver('1.0.0')
semver('1.02.3')
semver('1.2.3-01')
semver('1.2.3-')
semver('')
isSemver('1.2.3')
isSemver('1.2')
isSemver('v1.2', true)
isSemver('1.2.x')
isSemver('v1', false)
isSemver('1.0-alpha', true)
format.dns1123Label().validate('abc')
format.dns1123Label().validate('Abc')
format.dns1123Label().validate('')
format.dns1123Label().validate('aaaaaaaa'.replace('a', 'aaaaaaaa') + 'a')
format.dns1123Subdomain().validate('a.b-c')
format.dns1123Subdomain().validate('a..b')
format.dns1035Label().validate('1abc')
format.dns1035LabelPrefix().validate('abc-')
format.dns1123LabelPrefix().validate('abc-')
format.dns1123SubdomainPrefix().validate('a.b-')
format.qualifiedName().validate('example.com/MyName')
format.qualifiedName().validate('/x')
format.qualifiedName().validate('a/b/c')
format.qualifiedName().validate('UPPER.com/x_')
format.labelValue().validate('')
format.labelValue().validate('-a')
format.uri().validate('https://example.com')
format.uri().validate('example.com')
format.uuid().validate('123e4567-e89b-12d3-a456-426614174000')
format.uuid().validate('123')
format.byte().validate('aGVsbG8=')
format.byte().validate('a')
format.byte().validate('')
format.date().validate('2021-01-01')
format.date().validate('2021-13-01')
format.datetime().validate('2021-01-01T00:00:00Z')
format.datetime().validate('2021-01-01 00:00:00')
format.named('dns1123Label').value().validate('a')
format.named('nope')
format.named('nope').hasValue()
"""

SYNTAX = """
1 +
(1
1)
[1
{1: 2
{1}
a.
a..b
a.1
a.b.(c)
1 2
s s
,
)
a b c
a &
a & b
a | b
a = b
a === b
#
$x
1 ? 2
1 ? 2 :
!
-
- a
-a.b
!-1
-!t
t ? 1 : 2 ? 3 : 4
if
for
o.for
o.in
in
true.x
null.x
o.null
o.true
for + 1
while(1)
o.`a`
o.`a-b`
`a`
_x
x y
1.0.0
1..2
0x
08
1a
1e
1u2
"a\\"b"
n // comment
n // comment + 'a'
// only
  
a?b:c
a ?: b
[1, 2
[1 2]
{'a' 1}
f(
f(1,
f(,)
o.f(,)
o.a{}
Foo{}
foo.Bar{a: 1}
google.protobuf.Duration{seconds: 1}
1 in
in 1
1 < 2 < 3
1 == 2 == false
a.b().c()
[1][0][0]
x -> y
"a" "b"
1;2
t&&t||t
t||t&&t
\\
'\\z'
"""

GROUPS = {name.lower(): [line.strip(" ") if line.strip() else line
                         for line in text.strip("\n").split("\n")]
          for name, text in list(globals().items())
          if name.isupper() and isinstance(text, str)}
