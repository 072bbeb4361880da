// What the page says, in English and Chinese.

const ENGLISH = {
  title: 'My medical record',
  lead: 'What hospitals have recorded about you, who may read it, and the proof of it.',
  skip: 'Skip to the content',
  language: 'Language',
  sections: 'Sections',
  nav_key: 'Key', nav_records: 'Records', nav_sharing: 'Who may read', nav_check: 'Check a receipt',

  key_title: 'Your key',
  key_none: 'Your records belong to a key. This page does not have yours yet.',
  key_where: 'The key lives in this browser, on this device, in a store from which it cannot be read out. It signs your questions here. It is never sent, to nobody.',
  key_loss: 'If this browser’s data are erased, the key is gone with them. Without a copy nobody can bring it back, no hospital either: your records stay, and nobody can show them to you or open them for others any more. Keep a copy in a safe place.',
  key_own: 'Your key, the public half:',
  key_make: 'Make a new key',
  key_import: 'Bring your key',
  key_import_hint: 'The file that holds it, or its 64 hexadecimal digits.',
  key_digits: 'Digits of the key',
  key_file: 'File of the key',
  key_use: 'Use this key',
  key_wrong: 'That is no key: one line of 64 hexadecimal digits is expected.',
  key_made: 'This is the only moment at which a copy can be saved. Whoever has the copy is you.',
  key_save: 'Save a copy',
  key_saved: 'The copy was handed to your downloads.',
  key_keep: 'Keep the key in this browser',
  key_unkept: 'Go on without a copy',
  key_cancel: 'Discard it',
  key_forget: 'Remove from this browser',
  key_forget_sure: 'Without a copy the key is lost for ever. Remove it?',
  key_forget_yes: 'Yes, remove it',
  key_forget_no: 'No, keep it',
  key_unable: 'This browser cannot hold such a key: Ed25519 in WebCrypto is needed, and https or a local address. Receipts can be checked all the same.',

  status_network: 'Network {chain}',
  status_height: 'as of block {height}, {time}',
  status_empty: 'no block can be proven yet',
  reload: 'Ask again',
  asking: 'Asking…',

  records_title: 'Your records',
  records_keyless: 'They are listed once there is a key.',
  records_none: 'Nothing is booked under this key.',
  records_count: { one: '{count} record', other: '{count} records' },
  records_acts: { one: '{count} act of sharing', other: '{count} acts of sharing' },
  records_more: 'More records',
  records_word: 'Each of them was checked here: your signature, and the way into its block. That the block is final, and that none is missing, is the word of institution {institution}.',
  record_created: 'Made {time}',
  record_size: '{bytes} bytes',
  record_sealed: 'sealed',
  record_inline: 'plain, for everybody who holds the chain',
  record_place: 'Block {height}, Item {item}, place {index}',
  record_proof: 'Show the proof', record_read: 'Read it',
  record_readers: { one: '{count} reader', other: '{count} readers' },
  record_no_readers: 'only you',
  record_id: 'Record {id}',

  sharing_title: 'Who may read',
  sharing_keyless: 'It is shown once there is a key.',
  sharing_none: 'Nobody but you.',
  sharing_word: 'Computed here from your own grants, as they are booked.',
  sharing_reader: 'Reader', sharing_record: 'Record', sharing_until: 'Until', sharing_state: 'State',
  sharing_block: 'block {height}',
  sharing_about: 'about {time}',
  sharing_delivered: 'can open it',
  sharing_waiting: 'granted, not delivered yet',
  sharing_asks: 'Waiting for your answer',
  sharing_ask: { one: '{reader} asks for {count} record', other: '{reader} asks for {count} records' },
  sharing_how: 'Granting and revoking are done with “mdsm grant” and “mdsm revoke”; this page only shows.',

  check_title: 'Check a receipt',
  check_lead: 'A receipt proves that a record existed before a block of Bitcoin. It is checked here, in your browser; the file is not sent.',
  check_drop: 'Drop a receipt here, or choose the file',
  check_receipt: 'Receipt',
  check_content: 'The record’s own file, if you have it',
  check_headers: 'Bitcoin’s headers from a source of your own, if you have them',
  check_headers_note: 'Without it, the headers are those that this institution has.',
  check_working: 'Checking…',
  check_save: 'Save the receipt',
  check_again: 'Check',

  verdict_good: 'The receipt holds',
  verdict_good_why: 'This record existed, signed by its owner, before Bitcoin’s block {height} of {time}, which has {count} confirmations.',
  verdict_test: 'Careful: these headers are of Bitcoin’s test network, where anybody can make blocks. It shows how a proof goes, and proves nothing to a stranger.',
  verdict_bad: 'The receipt does not hold',
  verdict_bad_why: 'It breaks at this check: {check}.',
  verdict_open: 'Not in Bitcoin yet',
  verdict_open_why: 'The record is booked. Its receipt is made once its epoch is closed and certified, and is whole once its anchor is deep enough in Bitcoin.',
  verdict_not: 'It does not prove that the content is true, nor, by itself, that this network booked the record.',
  verdict_of: 'Receipt of {name}',

  path_title: 'From the record to Bitcoin',
  path_alt: 'The way from the record to Bitcoin’s block: {text}',
  path_hashes: 'All hashes',
  path_record: 'Record', path_item: 'Item', path_block: 'Item block', path_data: 'Data block', path_window: 'Window',
  path_anchor: 'Anchor root', path_transaction: 'Bitcoin transaction', path_merkle: 'Merkle root', path_header: 'Bitcoin block',
  path_sub_record: '{kind}, signed by its owner',
  path_sub_item: 'record {index} of {size}',
  path_sub_block: 'Item {index} of {size}',
  path_sub_data: 'Item block {index} of {size}',
  path_sub_window: 'data block {index} of {size}',
  path_sub_anchor: 'epoch {epoch}',
  path_sub_transaction: 'with one MDSM output',
  path_sub_merkle: { one: '{count} hash up', other: '{count} hashes up' },
  path_sub_header: 'height {height}, {time}', path_sub_height: 'height {height}',
  path_depth: { one: '{count} confirmation', other: '{count} confirmations' },
  path_beside: 'beside it: {hash}',
  path_unknown: 'not reached',
  path_broken: 'it breaks here',

  checks_title: 'The checks, in their order',
  state_good: 'holds', state_bad: 'fails', state_open: 'not reached', state_skipped: 'not asked for',
  check_name_form: 'The file is a receipt, byte for byte',
  check_name_shape: 'Places, sizes and hashes fit each other',
  check_name_content: 'The file given is the record’s',
  check_name_owner: 'The owner signed the record',
  check_name_roots: 'The four trees lead to an anchor root',
  check_name_anchored: 'It has a part in Bitcoin',
  check_name_transaction: 'The transaction has one MDSM output',
  check_name_epoch: 'The transaction anchors the same epoch',
  check_name_root: 'The transaction anchors the same root',
  check_name_headers: 'The headers are linked and hold their work',
  check_name_height: 'The headers reach the block',
  check_name_branch: 'The transaction is in the block',
  check_name_depth: 'The block is deep enough',

  error_unanswered: 'The institution does not answer.',
  error_status: 'The institution refuses: {why} ({status})',
  error_answer: 'The answer was refused here, at the check of {kind}: {why}',
  error_file: 'The file cannot be read, or is too large.',
  error_title: 'No answer that can be believed',

  status_1: 'current', status_2: 'superseded', status_3: 'entered in error',
  security_1: 'normal', security_2: 'restricted', security_3: 'very restricted',
};

const CHINESE = {
  title: '我的医疗记录',
  lead: '医院记录了您的哪些信息、谁可以阅读，以及相应的证明。',
  skip: '跳到正文',
  language: '语言',
  sections: '栏目',
  nav_key: '密钥', nav_records: '记录', nav_sharing: '谁可以阅读', nav_check: '核验凭证',

  key_title: '您的密钥',
  key_none: '您的记录属于一把密钥。本页面还没有您的密钥。',
  key_where: '密钥保存在这台设备的浏览器中，无法从中读出。它在这里为您的提问签名，绝不会发送给任何人。',
  key_loss: '如果清除浏览器数据，密钥也会随之消失。没有副本，任何人都无法恢复它，医院也不能：记录仍在，但再也没有人能向您出示，或为他人开放。请把副本存放在安全的地方。',
  key_own: '您的密钥（公钥）：',
  key_make: '生成新密钥',
  key_import: '导入您的密钥',
  key_import_hint: '密钥文件，或其 64 位十六进制数字。',
  key_digits: '密钥的数字',
  key_file: '密钥文件',
  key_use: '使用这把密钥',
  key_wrong: '这不是密钥：应为一行 64 位十六进制数字。',
  key_made: '只有现在可以保存副本。谁持有副本，谁就是您。',
  key_save: '保存副本',
  key_saved: '副本已交给浏览器下载。',
  key_keep: '将密钥保存在此浏览器',
  key_unkept: '不保存副本，继续',
  key_cancel: '放弃',
  key_forget: '从此浏览器中移除',
  key_forget_sure: '没有副本，密钥将永远丢失。确定移除吗？',
  key_forget_yes: '是，移除',
  key_forget_no: '否，保留',
  key_unable: '此浏览器无法保存这种密钥：需要 WebCrypto 的 Ed25519，以及 https 或本机地址。仍然可以核验凭证。',

  status_network: '网络 {chain}',
  status_height: '截至区块 {height}，{time}',
  status_empty: '尚无可证明的区块',
  reload: '重新查询',
  asking: '正在查询…',

  records_title: '您的记录',
  records_keyless: '有了密钥之后在此列出。',
  records_none: '这把密钥名下没有记录。',
  records_count: { one: '{count} 条记录', other: '{count} 条记录' },
  records_acts: { one: '{count}项共享行为', other: '{count} 项共享行为' },
  records_more: '更多记录',
  records_word: '每条都已在此核验：您的签名，以及它进入区块的路径。区块已最终确定、且没有遗漏，则以机构 {institution} 的陈述为准。',
  record_created: '创建于 {time}',
  record_size: '{bytes} 字节',
  record_sealed: '已加密',
  record_inline: '明文，持有链的人都能看到',
  record_place: '区块 {height}，条目 {item}，位置 {index}',
  record_proof: '查看证明', record_read: '阅读',
  record_readers: { one: '{count} 位读者', other: '{count} 位读者' },
  record_no_readers: '只有您',
  record_id: '记录 {id}',

  sharing_title: '谁可以阅读',
  sharing_keyless: '有了密钥之后在此显示。',
  sharing_none: '除您之外没有人。',
  sharing_word: '在此根据您自己已入链的授权计算得出。',
  sharing_reader: '读者', sharing_record: '记录', sharing_until: '有效期至', sharing_state: '状态',
  sharing_block: '区块 {height}',
  sharing_about: '约 {time}',
  sharing_delivered: '可以打开',
  sharing_waiting: '已授权，尚未交付',
  sharing_asks: '等待您的答复',
  sharing_ask: { one: '{reader} 请求 {count} 条记录', other: '{reader} 请求 {count} 条记录' },
  sharing_how: '授权和撤销请使用 “mdsm grant” 与 “mdsm revoke”；本页面只作显示。',

  check_title: '核验凭证',
  check_lead: '凭证证明一条记录在某个比特币区块之前已经存在。核验在您的浏览器中进行，文件不会被发送。',
  check_drop: '把凭证拖到这里，或选择文件',
  check_receipt: '凭证',
  check_content: '记录本身的文件（如果有）',
  check_headers: '您自己获得的比特币区块头（如果有）',
  check_headers_note: '如果没有，则使用本机构持有的区块头。',
  check_working: '正在核验…',
  check_save: '保存凭证',
  check_again: '核验',

  verdict_good: '凭证成立',
  verdict_good_why: '这条由其所有者签名的记录，在比特币区块 {height}（{time}）之前已经存在，该区块已有 {count} 次确认。',
  verdict_test: '注意：这些区块头属于比特币测试网络，任何人都能制造区块。它只演示证明的过程，对外人没有证明力。',
  verdict_bad: '凭证不成立',
  verdict_bad_why: '在这一项核验中断裂：{check}。',
  verdict_open: '尚未进入比特币',
  verdict_open_why: '记录已入链。所属时段关闭并得到认证后才有凭证；其锚在比特币中足够深之后，凭证才完整。',
  verdict_not: '它不证明内容属实，也不单独证明该记录由本网络入链。',
  verdict_of: '{name}的凭证',

  path_title: '从记录到比特币',
  path_alt: '从记录到比特币区块的路径：{text}',
  path_hashes: '全部哈希',
  path_record: '记录', path_item: '条目', path_block: '条目块', path_data: '数据块', path_window: '窗口',
  path_anchor: '锚根', path_transaction: '比特币交易', path_merkle: '默克尔根', path_header: '比特币区块',
  path_sub_record: '{kind}，由所有者签名',
  path_sub_item: '第 {index} 条记录，共 {size} 条',
  path_sub_block: '第 {index} 个条目，共 {size} 个',
  path_sub_data: '第 {index} 个条目块，共 {size} 个',
  path_sub_window: '第 {index} 个数据块，共 {size} 个',
  path_sub_anchor: '时段 {epoch}',
  path_sub_transaction: '含一个 MDSM 输出',
  path_sub_merkle: { one: '向上 {count} 个哈希', other: '向上 {count} 个哈希' },
  path_sub_header: '高度 {height}，{time}', path_sub_height: '高度 {height}',
  path_depth: { one: '{count} 次确认', other: '{count} 次确认' },
  path_beside: '旁边：{hash}',
  path_unknown: '未到达',
  path_broken: '在此断裂',

  checks_title: '依次进行的核验',
  state_good: '成立', state_bad: '不成立', state_open: '未到达', state_skipped: '未要求',
  check_name_form: '文件逐字节是一份凭证',
  check_name_shape: '位置、数目与哈希彼此相符',
  check_name_content: '所给文件属于这条记录',
  check_name_owner: '所有者签署了记录',
  check_name_roots: '四棵树通向一个锚根',
  check_name_anchored: '含有比特币部分',
  check_name_transaction: '交易恰有一个 MDSM 输出',
  check_name_epoch: '交易锚定同一时段',
  check_name_root: '交易锚定同一个根',
  check_name_headers: '区块头相连且具有工作量',
  check_name_height: '区块头到达该区块',
  check_name_branch: '交易在区块之中',
  check_name_depth: '区块足够深',

  error_unanswered: '机构没有回答。',
  error_status: '机构拒绝：{why}（{status}）',
  error_answer: '回答在此被拒绝，核验项 {kind}：{why}',
  error_file: '文件无法读取，或过大。',
  error_title: '没有可以相信的回答',

  status_1: '现行', status_2: '已被取代', status_3: '录入有误',
  security_1: '普通', security_2: '受限', security_3: '高度受限',
};

export const LANGUAGES = { en: ENGLISH, zh: CHINESE };

/** FHIR R4 resource types that hospitals write most, and those of acts. */
export const RESOURCES = {
  AllergyIntolerance: ['Allergy', '过敏'], AuditEvent: ['Audit event', '审计事件'], Bundle: ['Bundle', '资料包'],
  CarePlan: ['Care plan', '护理计划'], Communication: ['Delivery to a reader', '向读者的交付'],
  CommunicationRequest: ['Request to read', '阅读请求'], Composition: ['Clinical document', '临床文书'],
  Condition: ['Diagnosis', '诊断'], Consent: ['Consent', '授权'], DiagnosticReport: ['Diagnostic report', '诊断报告'],
  DocumentReference: ['Document', '文件'], Encounter: ['Visit', '就诊'], FamilyMemberHistory: ['Family history', '家族史'],
  ImagingStudy: ['Imaging study', '影像检查'], Immunization: ['Immunization', '疫苗接种'], Media: ['Picture', '图片'],
  MedicationRequest: ['Prescription', '处方'], MedicationStatement: ['Medication', '用药'], Observation: ['Observation', '检查指标'],
  Procedure: ['Procedure', '操作'], QuestionnaireResponse: ['Questionnaire', '问卷'], ServiceRequest: ['Order', '医嘱'],
  Specimen: ['Specimen', '标本'], Task: ['Step of sharing', '共享步骤'],
};

/** Types of documents by LOINC, the system of DocumentReference.type. */
export const CODES = {
  '11488-4': ['Consultation note', '会诊记录'], '11502-2': ['Laboratory report', '检验报告'], '11504-8': ['Surgical operation note', '手术记录'],
  '11506-3': ['Progress note', '病程记录'], '11526-1': ['Pathology study', '病理检查'], '18748-4': ['Diagnostic imaging report', '影像诊断报告'],
  '18842-5': ['Discharge summary', '出院小结'], '34117-2': ['History and physical', '病史与体检'], '34133-9': ['Summary of care', '诊疗摘要'],
  '57133-1': ['Referral note', '转诊记录'], '60591-5': ['Patient summary', '患者摘要'], '85354-9': ['Blood pressure', '血压'],
};

/** The language to begin with: that of the browser, where it is one of these. */
export function preferred(languages) {
  const known = (languages ?? []).map((tag) => String(tag).slice(0, 2).toLowerCase());
  return known.find((tag) => tag in LANGUAGES) ?? 'en';
}

/** Words of one language. */
export function speak(language) {
  const words = LANGUAGES[language];
  const column = language === 'zh' ? 1 : 0;
  const times = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const numbers = new Intl.NumberFormat(language);
  const plural = new Intl.PluralRules(language);

  /** A sentence, with {names} filled in; by `count` where it has a form for one. */
  const say = (key, values = {}) => {
    const entry = words[key];
    const sentence = typeof entry === 'object' ? entry[plural.select(values.count) === 'one' ? 'one' : 'other'] : entry;
    if (sentence === undefined) throw new Error(`no words for ${key}`);
    return sentence.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === 'number' || typeof value === 'bigint' ? numbers.format(value) : String(value);
    });
  };
  /** What a record is: by its code where that is known, else by its FHIR type, else by the type's own name. */
  const kind = ({ resource_type: type, kind: code }) =>
    (code?.system === 1 && CODES[code.code]?.[column]) || RESOURCES[type]?.[column] || type;
  const time = (ms) => times.format(new Date(Number(ms)));
  return { language, say, kind, time };
}
