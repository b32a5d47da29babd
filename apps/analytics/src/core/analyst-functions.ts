/**
 * Functions that analysts may call. A list of what is allowed, not of what is dangerous: `file('/etc/passwd')` reads a file while the
 * query is still being analysed, `dictGet` and `joinGet` read tables by a text, `getSetting` and `hostName` tell about the house,
 * `sleep` holds a thread, and a later ClickHouse may bring another.
 */
const plain = `
and or not xor if multiif case casewithexpression casewithoutexpression coalesce ifnull nullif isnull isnotnull assumenotnull tonullable
equals notequals less greater lessorequals greaterorequals between isdistinctfrom isnotdistinctfrom in notin globalin globalnotin
nullin notnullin like notlike ilike notilike match greatest least
plus minus multiply divide intdiv intdivorzero divideornull modulo moduloorzero positivemodulo negate abs sign gcd lcm
round floor ceil ceiling trunc truncate roundbankers rounddown roundage roundduration roundtoexp2
sqrt cbrt exp exp2 exp10 ln log log2 log10 pow power sin cos tan asin acos atan pi e isfinite isinfinite isnan ifnotfinite
bitand bitor bitxor bitnot bitshiftleft bitshiftright bittest bitcount
cast _cast accuratecast accuratecastornull accuratecastordefault toint8 toint16 toint32 toint64 touint8 touint16 touint32 touint64
tofloat32 tofloat64 todecimal32 todecimal64 tostring tofixedstring tobool todate todate32 todatetime todatetime64
toint64ornull toint64orzero touint64ornull touint64orzero tofloat64ornull tofloat64orzero todateornull todatetimeornull
parsedatetime parsedatetimebesteffort parsedatetime64besteffort reinterpretasuint64 tolowcardinality totypename
now now64 today yesterday toyear toquarter tomonth todayofyear todayofmonth todayofweek tohour tominute tosecond tomillisecond
toweek toisoweek toisoyear toyearweek toyyyymm toyyyymmdd toyyyymmddhhmmss tounixtimestamp tounixtimestamp64milli
tounixtimestamp64micro tounixtimestamp64second fromunixtimestamp fromunixtimestamp64milli fromunixtimestamp64second
tostartofsecond tostartofminute tostartoffiveminutes tostartoftenminutes tostartoffifteenminutes tostartofhour tostartofday
tostartofweek tostartofmonth tostartofquarter tostartofyear tostartofinterval tomonday totime timeslot timeslots
adddays addhours addminutes addseconds addmilliseconds addweeks addmonths addquarters addyears
subtractdays subtracthours subtractminutes subtractseconds subtractmilliseconds subtractweeks subtractmonths subtractyears
datediff dateadd datesub date_diff date_add date_sub datetrunc date_trunc age datename formatdatetime totimezone
tointervalsecond tointervalminute tointervalhour tointervalday tointervalweek tointervalmonth tointervalquarter tointervalyear
tointervalmillisecond monthname extract
length empty notempty lengthutf8 lower upper lowerutf8 upperutf8 reverse reverseutf8 concat concatwithseparator substring
substringutf8 substr left right leftutf8 rightutf8 leftpad rightpad trim trimleft trimright trimboth startswith endswith position
positionutf8 positioncaseinsensitive locate multisearchany countsubstrings replaceone replaceall replace replaceregexpone
replaceregexpall splitbychar splitbystring splitbyregexp arraystringconcat extractall regexpextract domain
base64encode hex cityhash64 siphash64 xxhash64 xxh3 md5 farmhash64 murmurhash3_64
array arrayelement arrayconcat arraymap arrayfilter arraycount arrayexists arrayall arrayfirst arraylast arrayfirstindex
arraylastindex arraysum arrayavg arraymin arraymax arrayproduct arraysort arrayreversesort arrayreverse arrayuniq arraydistinct
arrayflatten arrayenumerate arrayenumerateuniq arrayslice arraypushback arraypushfront arraypopback arraypopfront arrayzip
arraycumsum arraydifference arraycompact arrayintersect arrayjoin has hasall hasany indexof range emptyarraystring lambda
map mapkeys mapvalues mapcontains mapcontainskey mapfilter mapapply tuple tupleelement untuple bar identity ignore
width_bucket widthbucket formatreadablesize formatreadablequantity formatreadabletimedelta transform exists
row_number rank dense_rank percent_rank cume_dist ntile lag lead laginframe leadinframe first_value last_value nth_value
`;
const aggregates = `
count sum avg min max any anylast anyheavy argmin argmax uniq uniqexact uniqcombined uniqcombined64 uniqhll12 quantile quantiles
quantileexact quantilesexact quantileexactinclusive quantileexactexclusive quantileexactlow quantileexacthigh quantiletdigest
quantilestdigest quantiletiming quantilestiming median medianexact mediantdigest stddevpop stddevsamp varpop varsamp covarpop
covarsamp corr skewpop kurtpop grouparray groupuniqarray grouparraysample topk topkweighted sumwithoverflow sumkahan sumcount avgweighted
groupbitand groupbitor groupbitxor retention windowfunnel sequencematch sequencecount deltasum deltasumtimestamp
maxintersections maxintersectionsposition simplelinearregression histogram entropy boundingratio sumif countif
`;
const allowed = new Set(plain.split(/\s+/).filter(Boolean));
const allowedAggregates = new Set(aggregates.split(/\s+/).filter(Boolean));
const combinators = ['if', 'ornull', 'ordefault', 'distinct', 'array'];

/** Whether a function of this name (any case) may be called; aggregate functions with -If, -OrNull, -OrDefault, -Distinct, -Array too. */
export function mayCall(name: string): boolean {
  let rest = name.toLowerCase();
  if (allowed.has(rest)) return true;
  for (let cuts = 0; cuts < 4; cuts++) {
    if (allowedAggregates.has(rest)) return true;
    const combinator = combinators.find((suffix) => rest.endsWith(suffix));
    if (combinator === undefined) return false;
    rest = rest.slice(0, -combinator.length);
  }
  return false;
}
