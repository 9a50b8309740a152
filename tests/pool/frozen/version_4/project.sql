BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE cases (
	position INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	patient VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	image VARCHAR NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	description VARCHAR NOT NULL, 
	imported_at VARCHAR NOT NULL, 
	PRIMARY KEY (position), 
	CONSTRAINT split_is_known CHECK (split IN ('training', 'gate', 'report')), 
	UNIQUE (id)
);
INSERT INTO "cases" VALUES(1,'case_000','patient_000','training','images/73/73824e49064398114ef963bf48cf0fb59843cdb59daf3d4c56a6b337e6e0af4a.png',32,32,'Unilateral pulmonary infection, one infected area, lower left lung.','2026-11-22T01:19:39.120205+00:00');
INSERT INTO "cases" VALUES(2,'case_001','patient_001','training','images/44/445302bcc8e8570055ea95910cd8fbf9b0c5eeb771e4840bd7e03df88b7ca4e5.png',32,32,'Unilateral pulmonary infection, one infected area, upper right lung.','2026-11-22T01:19:39.176191+00:00');
INSERT INTO "cases" VALUES(3,'case_002','patient_002','training','images/0c/0c3658c5a9914a7924bb4a984b8d727d81e6ad3b46adf044c62f047d09faa832.png',32,32,'Unilateral pulmonary infection, one infected area, lower left lung.','2026-11-22T01:19:39.220199+00:00');
INSERT INTO "cases" VALUES(4,'case_003','patient_003','gate','images/02/027fd7902568a8ffc5b70549564d7ef73be734e4a23500f01b6fca612582ea1e.png',32,32,'Unilateral pulmonary infection, one infected area, upper right lung.','2026-11-22T01:19:39.272194+00:00');
CREATE TABLE disputes (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	revision_id INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE TABLE drafts (
	case_id VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	mask_png BLOB NOT NULL, 
	description VARCHAR NOT NULL, 
	strokes INTEGER NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (case_id, reader), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
CREATE TABLE hidden_references (
	case_id VARCHAR NOT NULL, 
	mask VARCHAR NOT NULL, 
	PRIMARY KEY (case_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id)
);
INSERT INTO "hidden_references" VALUES('case_001','hidden/17/17a645fbe73fa1624c20fda976b97fc3a77b8fe851cc18a8fd41baafbeff5554.png');
INSERT INTO "hidden_references" VALUES('case_002','hidden/08/0830aece7156be5f6cf05a4f14f4aad3ba7d08bbadc3deae317d274118626799.png');
CREATE TABLE leases (
	case_id VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (case_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE TABLE models (
	id VARCHAR NOT NULL, 
	run_id INTEGER NOT NULL, 
	folder VARCHAR NOT NULL, 
	scores JSON NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "models" VALUES('teacher',1,'models/teacher','{}','2026-11-22T01:19:39.430309+00:00');
CREATE TABLE pair_reports (
	number INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	partner_id VARCHAR NOT NULL, 
	verdict VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	PRIMARY KEY (number), 
	CONSTRAINT verdict_is_known CHECK (verdict IN ('nonsense', 'fine')), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(partner_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
INSERT INTO "pair_reports" VALUES(1,'case_001','case_002','nonsense','Ada','one lies on his side','2026-11-22T07:37:55.538458+00:00','4129e11ad62c5a1b503bc86f1f9c7fbb59ecaec16ea41839d8cbf07f241203c4');
CREATE TABLE promotions (
	id INTEGER NOT NULL, 
	model_id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "promotions" VALUES(1,'teacher','2026-11-22T01:19:39.441450+00:00');
CREATE TABLE proposals (
	case_id VARCHAR NOT NULL, 
	model_id VARCHAR NOT NULL, 
	probability VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	entropy FLOAT NOT NULL, 
	foreground FLOAT NOT NULL, zones INTEGER, 
	PRIMARY KEY (case_id, model_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "proposals" VALUES('case_002','teacher','probabilities/68/6845c40fb80ff3a13b29d86cfb78b417a252e804c69d3cf771cccc645395c006.png','',0.1,0.2,NULL);
CREATE TABLE readers (
	id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "readers" VALUES('dataset','2026-11-22T01:19:39.303060+00:00');
INSERT INTO "readers" VALUES('Ada','2026-11-22T01:19:39.355996+00:00');
INSERT INTO "readers" VALUES('Bo','2026-11-22T01:19:39.375358+00:00');
CREATE TABLE revisions (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	mask VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	model_id VARCHAR, 
	pixels_changed INTEGER, 
	dice_to_proposal FLOAT, 
	active_seconds FLOAT, 
	strokes INTEGER, 
	created_at VARCHAR NOT NULL, 
	number INTEGER DEFAULT '0' NOT NULL, 
	parent_id INTEGER, 
	reading VARCHAR DEFAULT 'open' NOT NULL, 
	digest VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT source_is_known CHECK (source IN ('teacher', 'edited', 'drawn', 'dataset')), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
INSERT INTO "revisions" VALUES(1,'case_000','masks/08/0830aece7156be5f6cf05a4f14f4aad3ba7d08bbadc3deae317d274118626799.png','Unilateral pulmonary infection, one infected area, lower left lung.','dataset','dataset','imported',NULL,NULL,NULL,NULL,NULL,'2026-11-22T01:19:39.300242+00:00',1,NULL,'open','5c295279ebcdd5722214854ec2ecfba00a2721c4d7f5941a62df31d227d79a8d');
INSERT INTO "revisions" VALUES(2,'case_003','masks/17/17a645fbe73fa1624c20fda976b97fc3a77b8fe851cc18a8fd41baafbeff5554.png','Unilateral pulmonary infection, one infected area, upper right lung.','dataset','dataset','imported',NULL,NULL,NULL,NULL,NULL,'2026-11-22T01:19:39.300392+00:00',1,NULL,'open','55a70d72eb02d9df60f3f379d1e233047cd410359598cafc54d1ec13b1d80646');
INSERT INTO "revisions" VALUES(3,'case_001','masks/08/0830aece7156be5f6cf05a4f14f4aad3ba7d08bbadc3deae317d274118626799.png','Bilateral pulmonary infection, one infected area, lower left lung.','Ada','drawn','as is',NULL,NULL,NULL,3.5,2,'2026-11-22T01:19:39.359076+00:00',1,NULL,'open','00c006540417b98f6d9d298770fa11ae604dbdb7b2527ed3da67cf93e24e79d2');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	folder VARCHAR NOT NULL, 
	labeled INTEGER NOT NULL, 
	unlabeled INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	outcome VARCHAR, 
	reason VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (folder)
);
INSERT INTO "runs" VALUES(1,'runs/0001',1,2,'2026-11-22T01:19:39.428652+00:00','promoted','Promoted.');
CREATE TABLE second_readings (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	asked_at VARCHAR NOT NULL, 
	revision_id INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE TABLE settings (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "settings" VALUES('schema_version','4');
INSERT INTO "settings" VALUES('laterality','image');
INSERT INTO "settings" VALUES('created_at','2026-11-22T01:19:38.907039+00:00');
CREATE TABLE skips (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	outcome VARCHAR DEFAULT 'skipped' NOT NULL, 
	revision_id INTEGER, 
	model_id VARCHAR, 
	active_seconds FLOAT, 
	strokes INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	FOREIGN KEY(reader) REFERENCES readers (id)
);
INSERT INTO "skips" VALUES(1,'case_002','Bo','film unreadable','2026-11-22T01:19:39.376309+00:00','skipped',NULL,NULL,NULL,NULL);
CREATE TABLE sources (
	case_id VARCHAR NOT NULL, 
	record VARCHAR NOT NULL, 
	PRIMARY KEY (case_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE TABLE standing (
	case_id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	pool VARCHAR NOT NULL, 
	revision_id INTEGER, 
	revisions INTEGER NOT NULL, 
	zones INTEGER NOT NULL, 
	skipped BOOLEAN NOT NULL, 
	contested BOOLEAN NOT NULL, doubt INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (case_id), 
	FOREIGN KEY(case_id) REFERENCES cases (id), 
	UNIQUE (position)
);
INSERT INTO "standing" VALUES('case_000',1,'labeled',1,1,4,0,0,0);
INSERT INTO "standing" VALUES('case_001',2,'labeled',3,1,4,0,0,2);
INSERT INTO "standing" VALUES('case_002',3,'unlabeled',NULL,0,4,1,0,0);
INSERT INTO "standing" VALUES('case_003',4,'gate',2,1,8,0,0,0);
CREATE INDEX ix_cases_split ON cases (split);
CREATE INDEX ix_cases_patient ON cases (patient);
CREATE UNIQUE INDEX revisions_of_a_case ON revisions (case_id, number);
CREATE INDEX ix_skips_case_id ON skips (case_id);
CREATE INDEX standing_contested ON standing (contested, position);
CREATE INDEX standing_by_zones ON standing (pool, zones);
CREATE INDEX standing_in_order ON standing (pool, position);
CREATE INDEX ix_disputes_case_id ON disputes (case_id);
CREATE INDEX ix_second_readings_revision_id ON second_readings (revision_id);
CREATE INDEX ix_second_readings_case_id ON second_readings (case_id);
CREATE INDEX standing_doubtful ON standing (doubt, position);
CREATE INDEX ix_pair_reports_partner_id ON pair_reports (partner_id);
CREATE INDEX ix_pair_reports_case_id ON pair_reports (case_id);
COMMIT;
